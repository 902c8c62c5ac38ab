import * as mysql2 from 'mysql2';
import { pinSession, type SessionWaits } from './session-settings.ts';

/**
 * mysql2 for TypeORM, whose pools pin every connection they make. The SET is queued before the pool hands the connection to
 * anybody, so no statement can come before it; preparing a connection where it is used would miss those who forget.
 */
export function pinnedDriver(waits: SessionWaits): typeof mysql2 {
  const pin = pinSession(waits);
  return {
    ...mysql2,
    createPool(options: mysql2.PoolOptions) {
      const pool = mysql2.createPool(options);
      pool.on('connection', (connection: PoolConnection) => {
        connection.query(pin, (error) => {
          // Not `destroy`: that one leaves what is queued behind the SET without an answer.
          if (error) connection.stream.destroy(error);
        });
      });
      return pool;
    },
  } as typeof mysql2;
}

interface PoolConnection {
  query(sql: string, onAnswer: (error: Error | null) => void): void;
  readonly stream: { destroy(error: Error): void };
}

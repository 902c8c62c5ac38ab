import { createConnection, type QueryOptions, type ResultSetHeader } from 'mysql2/promise';
import type { Connection } from './connection-options.ts';
import { pinSession, type SessionWaits } from './session-settings.ts';

/** One connection, for work that must not go on when it is lost: it never connects again. */
export interface Session {
  /** The rows of one statement. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** How many rows one statement has changed. */
  change(sql: string, values?: readonly unknown[]): Promise<number>;
  /** Aborts the moment the connection is known to be gone. */
  readonly lost: AbortSignal;
  /** Closes at once, whatever is under way. */
  destroy(): void;
  close(): Promise<void>;
}

/** Opens a connection of its own; a statement that takes longer than `statementTimeoutMs` destroys it. */
export async function openSession(
  { host, port, name, user, password }: Connection,
  statementTimeoutMs = 30_000,
  waits?: SessionWaits,
): Promise<Session> {
  const connection = await createConnection({
    host,
    port,
    database: name,
    user,
    password,
    timezone: 'Z',
    charset: 'utf8mb4',
    supportBigNumbers: true,
    connectTimeout: 3_000,
    enableKeepAlive: true,
  });
  const gone = new AbortController();
  // A statement under way on a destroyed connection would never be answered.
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const destroy = (): void => {
    gone.abort(new Error('The connection to the database is lost.'));
    lost.reject(gone.signal.reason);
    connection.destroy();
  };
  connection.on('error', destroy).on('end', destroy);

  async function run<Answer>(sql: string, values: readonly unknown[] = []): Promise<Answer> {
    gone.signal.throwIfAborted();
    const options: QueryOptions = { sql, values: [...values], timeout: statementTimeoutMs };
    try {
      const [answer] = await Promise.race([connection.query(options), lost.promise]);
      return answer as Answer;
    } catch (error) {
      // Nobody knows what the server still does on a connection whose answer did not come.
      if (!(error instanceof Error) || !('sqlState' in error)) destroy();
      throw error;
    }
  }

  try {
    await run(pinSession(waits));
  } catch (error) {
    destroy();
    throw error;
  }
  return {
    query: (sql, values) => run(sql, values),
    change: async (sql, values) => (await run<ResultSetHeader>(sql, values)).affectedRows,
    lost: gone.signal,
    destroy,
    async close() {
      // A server that does not answer the goodbye has lost the connection anyway.
      if (!gone.signal.aborted) await connection.end().catch(destroy);
    },
  };
}

import { createConnection as createRawConnection } from 'mysql2';
import {
  createConnection,
  type Connection as DriverConnection,
  type ConnectionOptions,
  type QueryOptions,
  type ResultSetHeader,
} from 'mysql2/promise';
import { pinSession, type SessionWaits } from './session-settings.ts';

export type { Connection as DriverConnection, RowDataPacket } from 'mysql2/promise';

/** A schema, and a user of it. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  readonly password: string;
}

/**
 * Opens one connection of the driver: every code point, times in UTC, numbers that keep their
 * digits, a bounded wait.
 *
 * For administrators, probes and tests, which need the server as it is: its session has the
 * server's own settings. Work on the pipeline's data takes `openSession` or `createDatabase`, whose
 * sessions are pinned.
 */
export function openConnection(options: ConnectionOptions): Promise<DriverConnection> {
  return createConnection({
    timezone: 'Z',
    charset: 'utf8mb4',
    supportBigNumbers: true,
    connectTimeout: 3_000,
    enableKeepAlive: true,
    ...options,
  });
}

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

/** Limits of a session; the defaults are 30 s a statement and 3 s to connect. */
export interface SessionOptions {
  /** A statement that takes longer destroys the connection. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly waits?: SessionWaits;
}

/** Opens a pinned connection of its own; without a `name` it has no schema. */
export async function openSession(
  { host, port, name, user, password }: Omit<Connection, 'name'> & { readonly name?: string },
  { statementTimeoutMs = 30_000, connectTimeoutMs = 3_000, waits = {} }: SessionOptions = {},
): Promise<Session> {
  const connection = await openConnection({
    host,
    port,
    user,
    password,
    connectTimeout: connectTimeoutMs,
    ...(name === undefined ? {} : { database: name }),
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
      // What the server still does on a connection whose answer did not come is not known.
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

/**
 * Resolves as soon as the server answers a login, even with a refusal. It does not use
 * `openConnection`, which would throw at a refusal.
 */
export function askDatabase(
  { host, port, user, password }: Omit<Connection, 'name'>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const connection = createRawConnection({ host, port, user, password, connectTimeout: 0 });
    const done = (): void => {
      connection.destroy();
      resolve();
    };
    // A whole login: the server blocks hosts that break off too many.
    connection.once('connect', () => connection.end(done)).on('error', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

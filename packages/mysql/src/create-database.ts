import { UnavailableError, startDeadline, type Deadline } from '@board/service';
import type { DataSource, EntityManager, EntitySchema, QueryRunner } from 'typeorm';
import { createDataSource } from './data-source.ts';
import { classifyError, isReadOnlyError } from './driver-errors.ts';
import type { Connection } from './open-session.ts';
import { assertServerSettings } from './session-settings.ts';

/** A service's schema: bounded waits, retired connections, transactions that run again. */
export interface Database {
  /** For code that runs its own transactions. */
  readonly dataSource: DataSource;
  /**
   * Connects and checks the server's settings; throws ServerSettingsError when they would break the
   * guarantee.
   */
  open(): Promise<void>;
  close(): Promise<void>;
  /**
   * Asks without writing; throws UnavailableError with the reason while the server takes no writes.
   */
  assertTakesWrites(): Promise<void>;
  /**
   * Replaces every pooled connection before its next use: the server behind the address may be
   * another one now.
   */
  retireConnections(): void;
  read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result>;
  /**
   * READ COMMITTED; `work` runs again, up to `tries` times, after a deadlock or a lock wait that
   * took too long.
   */
  transaction<Result>(
    work: (manager: EntityManager) => Promise<Result>,
    options?: {
      readonly tries?: number;
      /**
       * Called right before COMMIT is sent: a transaction that fails without this call has left
       * nothing behind.
       */
      readonly beforeCommit?: () => void;
    },
  ): Promise<Result>;
}

/** The schema, and the limits of its pool. */
export interface DatabaseOptions {
  readonly connection: Connection;
  readonly entities: readonly EntitySchema[];
  /** Connections at most; docs/scaling.md adds them up. */
  readonly poolSize?: number;
  /**
   * Called when the server was found to take no writes; this pool's connections are retired by
   * then.
   */
  readonly onReadOnly?: () => void;
  /** What callers wait at most, for a connection and all statements together. */
  readonly deadlineMs?: number;
  /** What a statement waits for a lock of another transaction, at most. */
  readonly lockWaitSeconds?: number;
}

/** The server answers, but takes no writes. */
export class ReadOnlyError extends UnavailableError {}

/** `read_only` does not bind an administrator; a service is none. */
const whyReadOnly = `SELECT CONCAT_WS(', ',
    IF(@@global.read_only, 'read_only is ON', NULL),
    IF(@@global.super_read_only, 'super_read_only is ON', NULL),
    IF(@@global.innodb_read_only, 'innodb_read_only is ON', NULL),
    IF(@@session.transaction_read_only, 'transaction_read_only is ON', NULL),
    (SELECT 'the schema is READ ONLY' FROM information_schema.SCHEMATA_EXTENSIONS
       WHERE SCHEMA_NAME = DATABASE() AND OPTIONS LIKE '%READ ONLY=1%')) AS reasons`;

/**
 * A pool that answers in time or reports that it cannot: `read` and `transaction` throw
 * UnavailableError.
 */
export function createDatabase({
  connection,
  entities,
  poolSize = 10,
  onReadOnly,
  deadlineMs = 1_800,
  lockWaitSeconds,
}: DatabaseOptions): Database {
  const waits = lockWaitSeconds === undefined ? {} : { lockWaitSeconds };
  const dataSource = createDataSource(connection, { entities, poolSize, waits });
  let opened = false;
  /** Of the connections that are made now; those of an earlier one are retired. */
  let generation = 0;
  const generations = new WeakMap<PooledConnection, number>();

  function isRetired(pooled: PooledConnection): boolean {
    const made = generations.get(pooled) ?? generation;
    generations.set(pooled, made);
    return made < generation;
  }

  function retireConnections(): void {
    generation += 1;
  }

  const limits = { deadlineMs, isRetired };

  async function run<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    if (!opened) throw new UnavailableError('The database is not connected yet.');
    try {
      return await runInTime(dataSource, limits, work);
    } catch (error) {
      if (isReadOnlyError(error)) {
        // The others of the pool lead to the same server: each of them would cost one more command.
        retireConnections();
        onReadOnly?.();
      }
      throw error;
    }
  }

  return {
    dataSource,
    async open() {
      if (!dataSource.isInitialized) await dataSource.initialize();
      await runInTime(dataSource, limits, (runner) => assertServerSettings(runner.manager));
      opened = true;
    },
    async close() {
      opened = false;
      // A pool whose server is silent fails to close; there is nothing left to lose then.
      if (dataSource.isInitialized) await dataSource.destroy().catch(() => undefined);
    },
    async assertTakesWrites() {
      const [row] = await run((runner): Promise<{ reasons: string }[]> =>
        runner.query(whyReadOnly),
      );
      if (!row?.reasons) return;
      retireConnections();
      onReadOnly?.();
      throw new ReadOnlyError(`The database takes no writes: ${row.reasons}.`);
    },
    retireConnections,
    read: (work) => run((runner) => work(runner.manager)),
    transaction: (work, { tries = 3, beforeCommit } = {}) =>
      run((runner) => transact(runner, work, tries, beforeCommit)),
  };
}

async function transact<Result>(
  runner: QueryRunner,
  work: (manager: EntityManager) => Promise<Result>,
  maxTries: number,
  beforeCommit: () => void = () => undefined,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      await runner.startTransaction('READ COMMITTED');
      const result = await work(runner.manager);
      beforeCommit();
      await runner.commitTransaction();
      return result;
    } catch (error) {
      await rollback(runner);
      if (classifyError(error) !== 'again' || tries === maxTries) throw error;
    }
  }
}

async function rollback(runner: QueryRunner): Promise<void> {
  try {
    if (runner.isTransactionActive) await runner.rollbackTransaction();
  } catch {
    // The connection is gone, and the server has rolled back; the caller throws the first error.
  }
}

interface PooledConnection {
  release(): void;
  destroy(): void;
}

/** The limits of one use of a pooled connection. */
interface RunLimits {
  readonly deadlineMs: number;
  /**
   * Whether a pooled connection may lead to a server that is no longer the one behind the address:
   * it is destroyed, unused.
   */
  readonly isRetired: (connection: PooledConnection) => boolean;
}

/**
 * Runs `work` on one pooled connection, all within the deadline; throws UnavailableError when the
 * database cannot answer.
 *
 * A connection whose state is not known is destroyed: a late statement on it would land in another
 * transaction.
 */
async function runInTime<Result>(
  dataSource: DataSource,
  { deadlineMs, isRetired }: RunLimits,
  work: (runner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  const late = (): Error =>
    new UnavailableError(`The database did not answer within ${deadlineMs} ms.`);
  const deadline = startDeadline(deadlineMs, late);
  try {
    const { runner, connection } = await acquire(connect(dataSource, isRetired), deadline);
    return await useOnce(connection, deadline.wait(work(runner)));
  } finally {
    deadline.end();
  }
}

interface Connected {
  readonly runner: QueryRunner;
  readonly connection: PooledConnection;
}

async function connect(
  dataSource: DataSource,
  isRetired: RunLimits['isRetired'],
): Promise<Connected> {
  for (;;) {
    const runner = dataSource.createQueryRunner();
    const connection: PooledConnection = await runner.connect();
    if (!isRetired(connection)) return { runner, connection };
    connection.destroy();
  }
}

async function acquire(connecting: Promise<Connected>, deadline: Deadline): Promise<Connected> {
  try {
    return await deadline.wait(connecting);
  } catch (error) {
    // The pool may still hand it out after its caller has stopped waiting for it.
    connecting.then(
      ({ connection }) => connection.release(),
      () => undefined,
    );
    if (error instanceof UnavailableError) throw error;
    throw new UnavailableError('The database cannot be reached.', { cause: error });
  }
}

async function useOnce<Result>(
  connection: PooledConnection,
  work: Promise<Result>,
): Promise<Result> {
  try {
    const result = await work;
    connection.release();
    return result;
  } catch (error) {
    const fault = classifyError(error);
    if (error instanceof UnavailableError || fault === 'unavailable') connection.destroy();
    else connection.release();
    if (fault === 'unavailable' || fault === 'again') {
      const text = isReadOnlyError(error)
        ? 'The database takes no writes.'
        : 'The database failed to answer.';
      throw new UnavailableError(text, { cause: error });
    }
    throw error;
  }
}

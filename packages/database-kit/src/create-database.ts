import { UnavailableError } from '@board/service-kit';
import { DataSource, type EntityManager, type EntitySchema, type QueryRunner } from 'typeorm';
import { assertServerSettings } from './assert-server-settings.ts';
import { classifyError } from './classify-error.ts';
import { connectionOptions, type Connection } from './connection-options.ts';
import { runInTime } from './run-in-time.ts';

export interface Database {
  /** For code that runs its own transactions. */
  readonly dataSource: DataSource;
  /** Connects and checks the server's settings; throws ServerSettingsError when they would break the guarantee. */
  open(): Promise<void>;
  close(): Promise<void>;
  read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result>;
  /** READ COMMITTED; `work` runs again, up to `tries` times, after a deadlock or a lock wait that took too long. */
  transaction<Result>(
    work: (manager: EntityManager) => Promise<Result>,
    options?: { readonly tries?: number },
  ): Promise<Result>;
}

export interface DatabaseOptions {
  readonly connection: Connection;
  readonly entities: readonly EntitySchema[];
  /** What callers wait at most, for a connection and all statements together. */
  readonly deadlineMs?: number;
  /** What a statement waits for a lock of another transaction, at most. */
  readonly lockWaitSeconds?: number;
}

/** A pool that answers in time or says that it cannot: `read` and `transaction` throw UnavailableError. */
export function createDatabase({
  connection,
  entities,
  deadlineMs = 1_800,
  lockWaitSeconds,
}: DatabaseOptions): Database {
  const dataSource = new DataSource({
    ...connectionOptions(connection, lockWaitSeconds === undefined ? {} : { lockWaitSeconds }),
    entities: [...entities],
  });
  let opened = false;

  async function run<Result>(work: (runner: QueryRunner) => Promise<Result>): Promise<Result> {
    if (!opened) throw new UnavailableError('The database is not connected yet.');
    return await runInTime(dataSource, deadlineMs, work);
  }

  return {
    dataSource,
    async open() {
      if (!dataSource.isInitialized) await dataSource.initialize();
      await runInTime(dataSource, deadlineMs, (runner) => assertServerSettings(runner.manager));
      opened = true;
    },
    async close() {
      opened = false;
      // A pool whose server is silent fails to close; there is nothing left to lose then.
      if (dataSource.isInitialized) await dataSource.destroy().catch(() => undefined);
    },
    read: (work) => run((runner) => work(runner.manager)),
    transaction: (work, { tries = 3 } = {}) => run((runner) => transact(runner, work, tries)),
  };
}

async function transact<Result>(
  runner: QueryRunner,
  work: (manager: EntityManager) => Promise<Result>,
  maxTries: number,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      await runner.startTransaction('READ COMMITTED');
      const result = await work(runner.manager);
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
    // The connection is gone, and the server has rolled back; the error that led here is the one to tell.
  }
}

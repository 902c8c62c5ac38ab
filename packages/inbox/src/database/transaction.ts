import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { classifyDriverError, isReadOnlyError } from '@board/database-kit';

/** A transaction that is open: where its SQL goes, and how to get rid of it for good. */
export interface OpenTransaction {
  readonly tx: EntityManager;
  /** Closes the connection, so that a handler that is still running can never write into another transaction. */
  destroyConnection(): void;
}

const maxReruns = 5;

/** Runs `work` in one READ COMMITTED transaction, again when MySQL chose it as the victim of a deadlock or a lock wait ran out. */
export async function inTransaction<Result>(
  dataSource: DataSource,
  onRerun: () => void,
  work: (open: OpenTransaction) => Promise<Result>,
): Promise<Result> {
  for (let rerun = 0; ; rerun += 1) {
    try {
      return await runOnce(dataSource, work);
    } catch (error) {
      if (rerun >= maxReruns || classifyDriverError(error)?.kind !== 'lock') throw error;
      onRerun();
    }
  }
}

async function runOnce<Result>(
  dataSource: DataSource,
  work: (open: OpenTransaction) => Promise<Result>,
): Promise<Result> {
  const runner = dataSource.createQueryRunner();
  const connection = (await runner.connect()) as PooledConnection;
  let destroyed = false;
  const destroyConnection = (): void => {
    destroyed = true;
    connection.destroy();
    // The server would finish a running statement first, holding its locks; a user may kill its own threads.
    dataSource.query('KILL ?', [connection.threadId]).catch(() => undefined);
  };
  try {
    // After a deadlock the server has ended the transaction; with autocommit, what a handler that swallowed it still
    // writes would be committed on the spot, outside of any transaction.
    await runner.query('SET autocommit = 0');
    await runner.startTransaction();
    const result = await work({ tx: runner.manager, destroyConnection });
    await runner.commitTransaction();
    await runner.query('SET autocommit = 1');
    return result;
  } catch (error) {
    // After a switch-over the pool would hand it out again and again, while a new connection finds the new primary. Nothing
    // runs on it that would have to be killed, and its number may be another connection's on the new primary.
    if (isReadOnlyError(error)) connection.destroy();
    else if (!destroyed && !(await rolledBack(runner, error))) destroyConnection();
    throw error;
  } finally {
    await runner.release();
  }
}

interface PooledConnection {
  readonly threadId: number;
  destroy(): void;
}

/**
 * Only a connection that has confirmed its rollback may go back to the pool: the next START TRANSACTION on it would
 * commit what is left of this one.
 */
async function rolledBack(runner: QueryRunner, error: unknown): Promise<boolean> {
  // A server that does not answer would not answer the ROLLBACK either.
  if (classifyDriverError(error)?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') return false;
  try {
    await runner.query('ROLLBACK');
    await runner.query('SET autocommit = 1');
    return true;
  } catch {
    return false;
  }
}

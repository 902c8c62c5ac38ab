import { UnavailableError } from '@board/service-kit';
import type { DataSource, QueryRunner } from 'typeorm';
import { classifyError } from './classify-error.ts';

interface PooledConnection {
  release(): void;
  destroy(): void;
}

/**
 * Runs `work` on one pooled connection, all within the deadline; throws UnavailableError when the database cannot answer.
 *
 * A connection whose state is not known is destroyed: a late statement on it would land in somebody else's transaction.
 */
export async function runInTime<Result>(
  dataSource: DataSource,
  deadlineMs: number,
  work: (runner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  const runner = dataSource.createQueryRunner();
  const connecting: Promise<PooledConnection> = runner.connect();
  const late = Promise.withResolvers<never>();
  const reject = (): void => late.reject(new UnavailableError(`The database did not answer within ${deadlineMs} ms.`));
  const timer = setTimeout(reject, deadlineMs);
  try {
    const connection = await acquire(connecting, late.promise);
    return await useOnce(connection, Promise.race([work(runner), late.promise]));
  } finally {
    clearTimeout(timer);
  }
}

async function acquire(connecting: Promise<PooledConnection>, late: Promise<never>): Promise<PooledConnection> {
  try {
    return await Promise.race([connecting, late]);
  } catch (error) {
    // The pool may still hand it out after nobody waits for it.
    connecting.then(
      (connection) => connection.release(),
      () => undefined,
    );
    if (error instanceof UnavailableError) throw error;
    throw new UnavailableError('The database cannot be reached.', { cause: error });
  }
}

async function useOnce<Result>(connection: PooledConnection, work: Promise<Result>): Promise<Result> {
  try {
    const result = await work;
    connection.release();
    return result;
  } catch (error) {
    const fault = classifyError(error);
    if (error instanceof UnavailableError || fault === 'unavailable') connection.destroy();
    else connection.release();
    if (fault === 'unavailable' || fault === 'again') {
      throw new UnavailableError('The database failed to answer.', { cause: error });
    }
    throw error;
  }
}

import { startDeadline, UnavailableError, type Deadline } from '@board/service';
import type { DataSource, QueryRunner } from 'typeorm';
import { classifyError, isReadOnlyError } from './driver-errors.ts';

export interface PooledConnection {
  release(): void;
  destroy(): void;
}

export interface RunLimits {
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
export async function runInTime<Result>(
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

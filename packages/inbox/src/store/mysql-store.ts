import {
  classifyDriverError,
  describeServerFault,
  isReadOnlyError,
  type Connection,
} from '@board/mysql';
import type { DataSource, QueryRunner } from 'typeorm';
import { describeError } from '../errors.ts';
import { mysqlBreakerState, mysqlDeadLetters } from './dead-letters.ts';
import { mysqlMarks, mysqlSkips } from './marks.ts';
import { mysqlParked } from './parked.ts';
import { mysqlPositions } from './positions.ts';
import { mysqlSchemaMemory } from './schema-memory.ts';
import type { ConsumerKey, Effects, InboxStore, StoreTransaction } from './store.ts';

const maxReruns = 5;

export interface MysqlStoreOptions {
  readonly dataSource: DataSource;
  readonly consumer: ConsumerKey;
  /** Milliseconds since the epoch, for what is stored. */
  readonly nowMs: () => number;
  /** Called for each transaction that runs again. */
  readonly onRerun?: () => void;
}

/**
 * The inbox's tables in the consumer's own schema, at READ COMMITTED: an effect and its mark share
 * a transaction.
 */
export function createMysqlStore({
  dataSource,
  consumer,
  nowMs,
  onRerun,
}: MysqlStoreOptions): InboxStore {
  function open(runner: QueryRunner, destroyConnection: () => void): StoreTransaction {
    const { manager } = runner;
    return {
      marks: mysqlMarks(manager, consumer),
      parked: mysqlParked(manager, consumer, nowMs),
      skips: mysqlSkips(manager, consumer, nowMs),
      deadLetters: mysqlDeadLetters(manager, consumer, nowMs),
      breaker: mysqlBreakerState(manager, consumer),
      positions: mysqlPositions(manager, consumer, nowMs),
      effects: mysqlEffects(runner, destroyConnection),
    };
  }

  async function lease(): Promise<Lease> {
    const runner = dataSource.createQueryRunner();
    const connection = (await runner.connect()) as PooledConnection;
    let isDestroyed = false;
    const destroyConnection = (): void => {
      isDestroyed = true;
      connection.destroy();
      // The server would finish a running statement first, holding its locks; a user may kill its
      // own threads.
      dataSource.query('KILL ?', [connection.threadId]).catch(() => undefined);
    };
    return {
      tx: open(runner, destroyConnection),
      async begin() {
        // After a deadlock the server has ended the transaction; with autocommit, what a handler
        // that swallowed it still writes would be committed on the spot, outside of any
        // transaction.
        await runner.query('SET autocommit = 0');
        await runner.startTransaction();
      },
      async commit() {
        await runner.commitTransaction();
        await runner.query('SET autocommit = 1');
      },
      async undo(error) {
        // After a switch-over the pool would hand it out again and again, while a new connection
        // finds the new primary. Nothing runs on it that would have to be killed, and its number
        // may be another connection's on the new primary.
        if (isReadOnlyError(error)) connection.destroy();
        else if (!isDestroyed && !(await rolledBack(runner, error))) destroyConnection();
      },
      release: () => runner.release(),
    };
  }

  return {
    consumer,
    schemas: mysqlSchemaMemory(dataSource, consumer.group, nowMs),
    async transaction(work) {
      for (let rerun = 0; ; rerun += 1) {
        const connection = await lease();
        try {
          await connection.begin();
          const result = await work(connection.tx);
          await connection.commit();
          return result;
        } catch (error) {
          await connection.undo(error);
          if (rerun >= maxReruns || classifyDriverError(error)?.kind !== 'lock') throw error;
        } finally {
          await connection.release();
        }
        onRerun?.();
      }
    },
    describeFault(error) {
      const { host, port } = dataSource.options as Pick<Connection, 'host' | 'port'>;
      return describeServerFault(error, { host, port }) ?? describeError(error).message;
    },
  };
}

function mysqlEffects({ manager }: QueryRunner, destroyConnection: () => void): Effects {
  return {
    manager,
    setSavepoint: () => manager.query('SAVEPOINT handling'),
    releaseSavepoint: () => manager.query('RELEASE SAVEPOINT handling'),
    rollBackToSavepoint: () => manager.query('ROLLBACK TO SAVEPOINT handling'),
    destroyConnection,
  };
}

/** A connection of the pool, for one transaction. */
interface Lease {
  readonly tx: StoreTransaction;
  begin(): Promise<void>;
  commit(): Promise<void>;
  undo(error: unknown): Promise<void>;
  release(): Promise<void>;
}

interface PooledConnection {
  readonly threadId: number;
  destroy(): void;
}

/**
 * Only a connection that has confirmed its rollback may go back to the pool: the next START
 * TRANSACTION on it would commit what is left of this one.
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

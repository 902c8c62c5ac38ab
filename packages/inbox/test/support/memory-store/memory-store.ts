import type { KnownSchema, SchemaMemory } from '../../../src/store/schema-memory.ts';
import type {
  ConsumerKey,
  Effects,
  InboxStore,
  StoreTransaction,
} from '../../../src/store/store.ts';
import {
  commit,
  copyOf,
  release,
  type Change,
  type MemoryDatabase,
  type MemoryTables,
  type Open,
  type Step,
} from './database.ts';
import { memoryBreaker, memoryDeadLetters } from './dead-letters.ts';
import { memoryMarks, memorySkips } from './marks.ts';
import { memoryParked } from './parked.ts';
import { memoryPositions } from './positions.ts';

export interface MemoryStoreOptions {
  readonly database: MemoryDatabase;
  readonly consumer: ConsumerKey;
  readonly nowMs: () => number;
  readonly step?: Step;
}

const reruns = 5;

/**
 * Keeps what one consumer keeps, in memory: for simulations of many schedules. It passes the same
 * tests as the one in MySQL.
 */
export function createMemoryStore(options: MemoryStoreOptions): InboxStore {
  const { database, consumer, nowMs, step = () => Promise.resolve() } = options;
  return {
    consumer,
    schemas: memorySchemas(),
    async transaction(work) {
      for (let rerun = 0; ; rerun += 1) {
        const owner = {};
        const changes: Change[] = [];
        try {
          await step('begin');
          const result = await work(openTransaction(database, { changes, owner, nowMs, step }));
          await step('commit');
          commit(database, changes.splice(0));
          release(database, owner);
          await step('committed');
          return result;
        } catch (error) {
          if (rerun >= reruns || (error as { errno?: number }).errno !== 1213) throw error;
        } finally {
          release(database, owner);
        }
      }
    },
    describeFault: (error) => (error instanceof Error ? error.message : String(error)),
  };
}

function openTransaction(database: MemoryDatabase, open: Open): StoreTransaction {
  const { changes, nowMs } = open;
  /** What is committed by now, with this transaction's own writes. */
  const view = (): MemoryTables => {
    const tables = copyOf(database.tables);
    for (const change of changes) change(tables);
    return tables;
  };
  return {
    marks: memoryMarks(database, open, view),
    parked: memoryParked(changes, view, nowMs),
    skips: memorySkips(changes, view),
    deadLetters: memoryDeadLetters(changes, view, nowMs),
    breaker: memoryBreaker(database, open, view),
    positions: memoryPositions(changes, view),
    effects: memoryEffects(changes),
  };
}

/** `manager.query(sql, values)` stands for an effect: it keeps the values. */
function memoryEffects(changes: Change[]): Effects {
  let savepoint = 0;
  const query = async (_sql: string, values: readonly unknown[] = []): Promise<void> =>
    void changes.push(({ effects }) => effects.push(...values));
  return {
    manager: { query } as unknown as Effects['manager'],
    async setSavepoint() {
      savepoint = changes.length;
    },
    releaseSavepoint: () => Promise.resolve(),
    async rollBackToSavepoint() {
      changes.splice(savepoint);
    },
    destroyConnection: () =>
      void changes.push(() => {
        throw new Error('the connection was destroyed');
      }),
  };
}

function memorySchemas(): SchemaMemory {
  const known = new Map<string, KnownSchema>();
  const keyOf = ({
    eventType,
    schemaId,
  }: {
    readonly eventType: string;
    readonly schemaId: number;
  }): string => `${schemaId} ${eventType}`;
  return {
    read: async () => [...known.values()],
    async remember(schema) {
      if (!known.has(keyOf(schema))) known.set(keyOf(schema), { ...schema, decision: 'registry' });
    },
    decide: async (schema) => void known.set(keyOf(schema), schema),
    forget: async (key) => void known.delete(keyOf(key)),
    findDeadLetters: async () => ({ count: 0, deadLetters: [] }),
  };
}

import type { Mark } from '../../../src/decide.ts';
import type { ParkedDelivery } from '../../../src/record.ts';
import type {
  MissingRange,
  ReadPosition,
  Skip,
  StoredDeadLetter,
} from '../../../src/store/store.ts';

/**
 * What is committed. Every value is replaced, never changed, so that a copy of the maps is a
 * snapshot.
 */
export interface MemoryTables {
  readonly marks: Map<string, Mark>;
  /** By aggregate, then by version. */
  readonly parked: Map<string, ReadonlyMap<number, ParkedDelivery>>;
  /** By `aggregate/version`. */
  readonly skipped: Map<string, Skip>;
  readonly deadLetters: Map<string, DeadLetterRow>;
  readonly positions: Map<string, ReadPosition>;
  readonly missing: Map<string, MissingRange & { readonly isCleared: boolean }>;
  /** What handlers have written, in order. */
  readonly effects: unknown[];
  breaker: { readonly openedAtMs: number | undefined; readonly probeAtMs: number };
}

export interface DeadLetterRow {
  readonly stored: StoredDeadLetter;
  readonly lastFailedAtMs: number;
  readonly closedBy: 'applied' | 'skipped' | 'dismissed' | undefined;
}

/**
 * A database that several stores share; its transactions read what is committed, and their own
 * writes.
 */
export interface MemoryDatabase {
  readonly tables: MemoryTables;
  /** Who holds the lock of an aggregate's mark. */
  readonly locks: Map<string, object>;
  /** Grows with each commit that changes something. */
  changes: number;
  /** Transactions that wait for a lock. */
  readonly waiting: (() => void)[];
}

export function createMemoryDatabase(): MemoryDatabase {
  return { tables: emptyTables(), locks: new Map(), changes: 0, waiting: [] };
}

function emptyTables(): MemoryTables {
  return {
    marks: new Map(),
    parked: new Map(),
    skipped: new Map(),
    deadLetters: new Map(),
    positions: new Map(),
    missing: new Map(),
    effects: [],
    breaker: { openedAtMs: undefined, probeAtMs: 0 },
  };
}

/** What a transaction does to the tables when it is committed. */
export type Change = (tables: MemoryTables) => void;

/** What is committed by now, with the transaction's own writes. */
export type View = () => MemoryTables;

/**
 * Called where another transaction may come first; may throw, as a connection that is lost does.
 */
export type Step = (where: 'begin' | 'lock' | 'commit' | 'committed') => Promise<void>;

export interface Open {
  readonly changes: Change[];
  readonly owner: object;
  readonly nowMs: () => number;
  readonly step: Step;
}

export function copyOf(tables: MemoryTables): MemoryTables {
  const { marks, parked, skipped, deadLetters, positions, missing, effects, breaker } = tables;
  return {
    marks: new Map(marks),
    parked: new Map(parked),
    skipped: new Map(skipped),
    deadLetters: new Map(deadLetters),
    positions: new Map(positions),
    missing: new Map(missing),
    effects: [...effects],
    breaker,
  };
}

export function commit(database: MemoryDatabase, changes: readonly Change[]): void {
  // On a copy: a change that throws, as after a connection that was destroyed, leaves nothing
  // behind.
  const tables = copyOf(database.tables);
  for (const change of changes) change(tables);
  Object.assign(database.tables, tables);
  database.changes += changes.length;
}

export function release({ locks, waiting }: MemoryDatabase, owner: object): void {
  for (const [id, holder] of locks) if (holder === owner) locks.delete(id);
  for (const retry of waiting.splice(0)) retry();
}

/** Holds the lock until the transaction ends. */
export async function acquire(
  { locks, waiting }: MemoryDatabase,
  { owner, step }: Open,
  id: string,
): Promise<void> {
  while (locks.has(id) && locks.get(id) !== owner) {
    await new Promise<void>((resolve) => waiting.push(resolve));
    await step('lock');
  }
  locks.set(id, owner);
}

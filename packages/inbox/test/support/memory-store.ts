import { must } from '@board/service-kit';
import type { Mark } from '../../src/decide.ts';
import type { Delivery, ParkedDelivery } from '../../src/record.ts';
import type { KnownSchema, SchemaMemory } from '../../src/store/schema-memory.ts';
import type {
  BreakerState,
  ConsumerKey,
  DeadLetterIndex,
  Effects,
  InboxStore,
  Marks,
  MissingRange,
  ParkedEvents,
  ReadPosition,
  ReadPositions,
  Skip,
  Skips,
  StoredDeadLetter,
  StoreTransaction,
} from '../../src/store/store.ts';

/** What is committed. Every value is replaced, never changed, so that a copy of the maps is a snapshot. */
interface MemoryTables {
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

interface DeadLetterRow {
  readonly stored: StoredDeadLetter;
  readonly lastFailedAtMs: number;
  readonly closedBy: 'applied' | 'skipped' | 'dismissed' | undefined;
}

/** A database that several stores share; its transactions read what is committed, and their own writes. */
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

export interface MemoryStoreOptions {
  readonly database: MemoryDatabase;
  readonly consumer: ConsumerKey;
  readonly nowMs: () => number;
  /** Called where another transaction may come first; may throw, as a connection that is lost does. */
  readonly step?: (where: 'begin' | 'lock' | 'commit' | 'committed') => Promise<void>;
}

type Change = (tables: MemoryTables) => void;

const reruns = 5;

/** Keeps what one consumer keeps, in memory: for simulations of many schedules. It passes the same tests as the one in MySQL. */
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

function commit(database: MemoryDatabase, changes: readonly Change[]): void {
  // On a copy: a change that throws, as after a connection that was destroyed, leaves nothing behind.
  const tables = copyOf(database.tables);
  for (const change of changes) change(tables);
  Object.assign(database.tables, tables);
  database.changes += changes.length;
}

function release({ locks, waiting }: MemoryDatabase, owner: object): void {
  for (const [id, holder] of locks) if (holder === owner) locks.delete(id);
  for (const retry of waiting.splice(0)) retry();
}

interface Open {
  readonly changes: Change[];
  readonly owner: object;
  readonly nowMs: () => number;
  readonly step: NonNullable<MemoryStoreOptions['step']>;
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

function copyOf(tables: MemoryTables): MemoryTables {
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

type View = () => MemoryTables;

/** Holds the lock until the transaction ends. */
async function acquire({ locks, waiting }: MemoryDatabase, { owner, step }: Open, id: string): Promise<void> {
  while (locks.has(id) && locks.get(id) !== owner) {
    await new Promise<void>((resolve) => waiting.push(resolve));
    await step('lock');
  }
  locks.set(id, owner);
}

function memoryMarks(database: MemoryDatabase, open: Open, view: View): Marks {
  const { changes } = open;
  return {
    async lock(aggregateIds) {
      const ids = [...new Set(aggregateIds)].sort();
      for (const id of ids) await acquire(database, open, id);
      const { marks } = view();
      const locked = new Map(ids.map((id) => [id, marks.get(id) ?? { version: 0, eventId: '' }]));
      for (const [id, mark] of locked) if (!marks.has(id)) changes.push((tables) => tables.marks.set(id, mark));
      return locked;
    },
    async move(moved) {
      const entries = [...moved].map(([id, { version, eventId }]) => [id, { version, eventId }] as const);
      changes.push(({ marks }) => entries.forEach(([id, mark]) => marks.set(id, mark)));
    },
    find: async (aggregateId) => view().marks.get(aggregateId),
  };
}

function memoryParked(changes: Change[], view: View, nowMs: () => number): ParkedEvents {
  const rowsOf = (id: string): ParkedDelivery[] =>
    [...(view().parked.get(id) ?? [])].sort(([a], [b]) => a - b).map(([, row]) => row);
  const keep = (id: string, isKept: (version: number, row: ParkedDelivery) => boolean): void =>
    void changes.push(({ parked }) => {
      const left = [...(parked.get(id) ?? [])].filter(([version, row]) => isKept(version, row));
      if (left.length === 0) parked.delete(id);
      else parked.set(id, new Map(left));
    });
  const versionsOf = (id: string): number[] => rowsOf(id).map(({ identity }) => identity.version);
  return {
    async add(deliveries) {
      const conflicts: Delivery[] = [];
      for (const delivery of deliveries) {
        const { aggregateId, version, eventId } = delivery.identity;
        const parkedAtMs = nowMs();
        const put = (row: ParkedDelivery): void =>
          void changes.push(({ parked }) =>
            parked.set(aggregateId, new Map(parked.get(aggregateId)).set(version, row)),
          );
        const holder = view().parked.get(aggregateId)?.get(version);
        if (holder === undefined) put({ ...delivery, takenFrom: 'parked', parkedAtMs });
        else if (holder.identity.eventId !== eventId) conflicts.push(delivery);
        else
          put({
            ...holder,
            attempt: Math.max(holder.attempt, delivery.attempt),
            parkedAtMs: holder.parkedAtMs + 1,
          });
      }
      return conflicts;
    },
    async compare(moved) {
      const ids = [...moved].map(([id, { version }]) => ({ id, version, parked: versionsOf(id) }));
      return {
        passed: ids.filter(({ version, parked }) => parked.some((one) => one <= version)).map(({ id }) => id),
        waiting: ids.filter(({ version, parked }) => parked.some((one) => one > version)).map(({ id }) => id),
      };
    },
    findConflicts: async (applied) =>
      applied.flatMap(({ aggregateId, version, eventId }) => {
        const row = view().parked.get(aggregateId)?.get(version);
        return row !== undefined && row.identity.eventId !== eventId ? [row] : [];
      }),
    async deletePassed(moved, aggregateIds) {
      for (const id of aggregateIds) {
        const { version: mark } = must(moved.get(id), `moved mark of ${id}`);
        keep(id, (version) => version > mark);
      }
    },
    async next(aggregateId, limit) {
      const next = (view().marks.get(aggregateId)?.version ?? 0) + 1;
      return rowsOf(aggregateId)
        .filter(({ identity }) => identity.version >= next)
        .filter(({ identity }, index) => identity.version === next + index)
        .slice(0, limit);
    },
    find: async (aggregateId, version) => view().parked.get(aggregateId)?.get(version),
    async remove(rows) {
      // Looked at when it is committed: a row that was parked again by then is another one.
      for (const { identity, attempt, parkedAtMs } of rows)
        keep(
          identity.aggregateId,
          (version, row) =>
            version !== identity.version ||
            row.identity.eventId !== identity.eventId ||
            row.attempt !== attempt ||
            row.parkedAtMs !== parkedAtMs,
        );
    },
    async lowest(after) {
      const { parked, marks } = view();
      return [...parked.keys()]
        .filter((id) => id > after)
        .sort()
        .slice(0, 500)
        .map((aggregateId) => ({
          aggregateId,
          version: must(versionsOf(aggregateId)[0], 'parked version'),
          mark: marks.get(aggregateId)?.version,
        }));
    },
    async size() {
      const rows = [...view().parked.values()].flatMap((ofAggregate) => [...ofAggregate.values()]);
      const bytes = rows.reduce((sum, { record }) => sum + sizeOf(record), 0);
      const oldest = Math.min(...rows.map(({ parkedAtMs }) => parkedAtMs));
      return { rows: rows.length, bytes, oldestAgeMs: rows.length === 0 ? 0 : Math.max(0, nowMs() - oldest) };
    },
  };
}

function sizeOf({ key, value, headers }: Delivery['record']): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headers.bytes.length;
}

function memorySkips(changes: Change[], view: View): Skips {
  const keyOf = (aggregateId: string, version: number): string => `${aggregateId}/${version}`;
  return {
    async record(skips) {
      for (const skip of skips) {
        const key = keyOf(skip.identity.aggregateId, skip.identity.version);
        changes.push(({ skipped }) => skipped.has(key) || skipped.set(key, skip));
      }
    },
    async findReopened(identities) {
      const { skipped } = view();
      const reopened = identities.filter(({ aggregateId, version, eventId }) => {
        const skip = skipped.get(keyOf(aggregateId, version));
        return skip?.decidedBy === 'policy' && skip.identity.eventId === eventId;
      });
      return new Set(reopened.map(({ eventId }) => eventId));
    },
    async findAhead() {
      const { skipped, marks } = view();
      const ahead = [...skipped.values()].filter(
        ({ identity }) => identity.version > (marks.get(identity.aggregateId)?.version ?? 0),
      );
      return new Set(ahead.map(({ identity }) => identity.eventId));
    },
    async forget(identities) {
      for (const { aggregateId, version } of identities)
        changes.push(({ skipped }) => skipped.delete(keyOf(aggregateId, version)));
    },
  };
}

function memoryDeadLetters(changes: Change[], view: View, nowMs: () => number): DeadLetterIndex {
  function close(isMeant: (letter: string, row: DeadLetterRow) => boolean): void {
    const { deadLetters, marks, skipped } = view();
    for (const [letter, row] of deadLetters) {
      const { identity, failure } = row.stored;
      if (row.closedBy !== undefined || identity === undefined || !isMeant(letter, row)) continue;
      if (failure.reason === 'no-identity' || failure.reason === 'conflict') continue;
      const mark = marks.get(identity.aggregateId)?.version ?? 0;
      const skip = skipped.get(`${identity.aggregateId}/${identity.version}`);
      const own = skip?.identity.eventId === identity.eventId ? skip : undefined;
      const isPassed = mark > identity.version || (mark === identity.version && own?.decidedBy !== 'policy');
      const closedBy = own === undefined ? 'applied' : 'skipped';
      if (isPassed) changes.push((tables) => tables.deadLetters.set(letter, { ...row, closedBy }));
    }
  }
  return {
    async record(deadLetters) {
      for (const stored of deadLetters) {
        const { topic, partition, offset } = stored.failure.record.origin;
        const letter = stored.identity?.eventId ?? `${topic}/${partition}/${offset}`;
        const lastFailedAtMs = nowMs();
        changes.push((tables) => {
          const before = tables.deadLetters.get(letter)?.closedBy;
          const closedBy = before === 'dismissed' ? before : undefined;
          tables.deadLetters.set(letter, { stored, lastFailedAtMs, closedBy });
        });
      }
    },
    async closePage() {
      close(() => true);
      return undefined;
    },
    async closeOf(which) {
      close((letter, { stored }) =>
        'letter' in which ? letter === which.letter : stored.identity?.aggregateId === which.aggregateId,
      );
    },
    async countOpen() {
      const open = [...view().deadLetters.values()].filter(({ closedBy }) => closedBy === undefined);
      const byReason = Map.groupBy(open, ({ stored }) => stored.failure.reason);
      return new Map([...byReason].map(([reason, rows]) => [reason, rows.length] as const).sort());
    },
  };
}

function memoryBreaker(database: MemoryDatabase, open: Open, view: View): BreakerState {
  const { changes, nowMs } = open;
  return {
    openedAt: async () => view().breaker.openedAtMs,
    async open(probeAfterMs) {
      if (view().breaker.openedAtMs !== undefined) return;
      const breaker = { openedAtMs: nowMs(), probeAtMs: nowMs() + probeAfterMs };
      changes.push((tables) => (tables.breaker = breaker));
    },
    async close() {
      changes.push((tables) => (tables.breaker = { ...tables.breaker, openedAtMs: undefined }));
    },
    async claimProbe(everyMs) {
      await acquire(database, open, 'the row of the circuit breaker');
      const { openedAtMs, probeAtMs } = view().breaker;
      if (openedAtMs === undefined || (probeAtMs > nowMs() && probeAtMs <= nowMs() + everyMs)) return false;
      changes.push((tables) => (tables.breaker = { openedAtMs, probeAtMs: nowMs() + everyMs }));
      return true;
    },
    async returnProbe() {
      changes.push((tables) => (tables.breaker = { ...tables.breaker, probeAtMs: nowMs() }));
    },
    async countDeadLetters(windowMs) {
      return [...view().deadLetters.values()].filter(
        ({ stored: { failure, identity }, closedBy, lastFailedAtMs }) =>
          closedBy === undefined &&
          identity !== undefined &&
          ['attempts-exhausted', 'unprocessable'].includes(failure.reason) &&
          lastFailedAtMs >= nowMs() - windowMs,
      ).length;
    },
  };
}

function memoryPositions(changes: Change[], view: View): ReadPositions {
  const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
    `${topic}/${partition}`;
  return {
    read: async () => [...view().positions.values()],
    async store(positions) {
      for (const one of positions)
        changes.push((tables) => {
          const newestMs = Math.max(one.newestMs, tables.positions.get(keyOf(one))?.newestMs ?? 0);
          tables.positions.set(keyOf(one), { ...one, newestMs });
        });
    },
    async recordMissing(missing) {
      const key = `${keyOf(missing)} ${missing.from} ${missing.to}`;
      changes.push((tables) => tables.missing.set(key, { ...missing, isCleared: false }));
    },
    async openMissing() {
      const open = [...view().missing.values()].filter(({ isCleared }) => !isCleared);
      return { count: open.length, reasons: open.slice(0, 3).map(({ reason }) => reason) };
    },
    everMissing: async (topic) =>
      [...view().missing.values()].filter((one) => one.topic === topic).map(({ reason }) => reason),
    async forget(starts) {
      for (const start of starts)
        changes.push((tables) => {
          const known = tables.positions.get(keyOf(start));
          if (known !== undefined) tables.positions.set(keyOf(start), { ...known, next: start.low });
        });
    },
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
  const keyOf = ({ eventType, schemaId }: { readonly eventType: string; readonly schemaId: number }): string =>
    `${schemaId} ${eventType}`;
  return {
    read: async () => [...known.values()],
    async remember(schema) {
      if (!known.has(keyOf(schema))) known.set(keyOf(schema), { ...schema, decision: 'registry' });
    },
    decide: async (schema) => void known.set(keyOf(schema), schema),
    forget: async (key) => void known.delete(keyOf(key)),
    findDeadLetters: async () => ({ count: 0, letters: [] }),
  };
}

import { createHash, randomUUIDv7 } from 'node:crypto';
import { createDatabase, type Connection, type Database } from '@board/mysql';
import { createTestSchema, type StackAddresses, type TestSchema } from '@board/test';
import type { EntityManager } from 'typeorm';
import { onTestFinished } from 'vitest';
import {
  createGroupCommit,
  createIdempotencyTable,
  createOutboxTable,
  type AggregateRows,
  type Command,
  type GroupCommit,
  type GroupCommitOptions,
  type OutboxEvent,
  type OutboxPurge,
} from '../../src/index.ts';

/** The aggregate of the tests: the outbox knows no board. */
interface Thing {
  readonly id: string;
  readonly version: number;
  readonly text: string;
}

type ThingRefusal = 'missing' | 'stale';
export type ThingCommand = Command<Thing, ThingRefusal>;

export interface OutboxLab extends TestSchema {
  /** A group commit with a pool of its own, as another instance of a service has. */
  open(
    options?: Partial<GroupCommitOptions<Thing>> & {
      readonly connection?: Partial<Connection>;
      readonly databaseDeadlineMs?: number;
    },
  ): Promise<{
    readonly commits: GroupCommit<Thing, ThingRefusal>;
    readonly database: Database;
  }>;
  rows<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Versions of the events of each thing in the order of the outbox, beside the version of its row.
   */
  versions(): Promise<
    Readonly<Record<string, { readonly row: number; readonly events: readonly number[] }>>
  >;
}

/** A schema of the test's own with the tables; dropped when the test ends. */
export async function openOutboxLab(stack: StackAddresses): Promise<OutboxLab> {
  const schema = await createTestSchema(stack);
  onTestFinished(schema.drop);
  await schema.root.query(
    'CREATE TABLE thing (id CHAR(36) PRIMARY KEY, version INT UNSIGNED NOT NULL, text VARCHAR(100) NOT NULL)',
  );
  await schema.root.query(createOutboxTable(['thing']));
  await schema.root.query(createIdempotencyTable);

  async function rows<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const [found] = await schema.root.query(sql, [...values]);
    return found as Row[];
  }

  return {
    ...schema,
    rows,
    async open({ connection, databaseDeadlineMs = 1_400, ...options } = {}) {
      const database = createDatabase({
        connection: { ...schema.connection, ...connection },
        entities: [],
        deadlineMs: databaseDeadlineMs,
        lockWaitSeconds: 1,
      });
      await database.open();
      onTestFinished(() => database.close());
      const commits = createGroupCommit<Thing, ThingRefusal>({
        database,
        rows: thingRows,
        ...options,
      });
      onTestFinished(() => commits.idle());
      return { commits, database };
    },
    async versions() {
      const events = await rows<{ id: string; version: number }>(
        'SELECT aggregateid AS id, version FROM outbox ORDER BY seq',
      );
      const things = await rows<{ id: string; version: number }>('SELECT id, version FROM thing');
      const ids = new Set([...things, ...events].map(({ id }) => id));
      return Object.fromEntries(
        [...ids].map((id) => [
          id,
          {
            row: things.find((thing) => thing.id === id)?.version ?? 0,
            events: events.filter((event) => event.id === id).map(({ version }) => version),
          },
        ]),
      );
    },
  };
}

/** A consumer that has everything. */
export const allReceived: OutboxPurge['findUnreceived'] = () =>
  Promise.resolve({ missing: [], undecided: [] });

interface ThingOptions {
  readonly id?: string;
  readonly eventId?: string;
  readonly key?: string;
  readonly ifVersion?: number;
  /** Changes the event, or throws. */
  readonly spoil?: (event: OutboxEvent) => OutboxEvent;
}

export function createThing(text: string, options: ThingOptions = {}): ThingCommand {
  return thingCommand('new', options.id ?? randomUUIDv7(), text, options);
}

export function editThing(id: string, text: string, options: ThingOptions = {}): ThingCommand {
  return thingCommand('existing', id, text, options);
}

function thingCommand(
  target: ThingCommand['target'],
  id: string,
  text: string,
  { key, ifVersion, spoil = (event) => event, eventId = randomUUIDv7() }: ThingOptions,
): ThingCommand {
  const sha256 = (value: string): Buffer => createHash('sha256').update(value).digest();
  return {
    aggregateId: id,
    eventId,
    target,
    bytes: text.length,
    key:
      key === undefined
        ? undefined
        : { hash: sha256(key), fingerprint: sha256(`${target} ${text}`) },
    decide(thing) {
      if (target === 'existing' && !thing) return { kind: 'refuse', refusal: 'missing' };
      if (ifVersion !== undefined && thing?.version !== ifVersion)
        return { kind: 'refuse', refusal: 'stale' };
      const version = (thing?.version ?? 0) + 1;
      const event = spoil({
        id: eventId,
        aggregateType: 'thing',
        aggregateId: id,
        version,
        partitionKey: '김철수 😀',
        type: 'ThingChanged',
        payload: Buffer.from([0, 255, 1, 39, 92]),
        traceparent: null,
        occurredAt: new Date('2026-01-02T03:04:05.678Z'),
      });
      return {
        kind: 'change',
        state: { id, version, text },
        event,
        answer: Buffer.from(`${text} ${version}`),
      };
    },
  };
}

const thingRows: AggregateRows<Thing> = {
  async lock(manager, ids, held) {
    const wait = held === 'leave' ? ' SKIP LOCKED' : '';
    const found: Thing[] = await manager.query(
      `SELECT id, version, text FROM thing WHERE id IN (?) ORDER BY id FOR UPDATE${wait}`,
      [ids],
    );
    return new Map(found.map((thing) => [thing.id, thing]));
  },
  async exist(manager, ids) {
    const found: Thing[] = await manager.query('SELECT id FROM thing WHERE id IN (?)', [ids]);
    return new Set(found.map(({ id }) => id));
  },
  insert: (manager, things) => write(manager, '', things),
  update: (manager, things) =>
    write(
      manager,
      'AS changed ON DUPLICATE KEY UPDATE version = changed.version, text = changed.text',
      things,
    ),
};

async function write(
  manager: EntityManager,
  onDuplicate: string,
  things: readonly Thing[],
): Promise<void> {
  await manager.query(`INSERT INTO thing (id, version, text) VALUES ? ${onDuplicate}`, [
    things.map(({ id, version, text }) => [id, version, text]),
  ]);
}

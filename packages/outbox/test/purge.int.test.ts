import { randomUUIDv7 } from 'node:crypto';
import { openConnection, openSession, type RowDataPacket, type Session } from '@board/mysql';
import { createTestSchema, type TestSchema } from '@board/test';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  createIdempotencyTable,
  createOutboxTable,
  describeKept,
  outboxStatus,
  purgeKeys,
  purgeOutbox,
  type OutboxPurge,
} from '../src/index.ts';
import { allReceived } from './support/outbox-lab.ts';

const hourMs = 3_600_000;

let schema: TestSchema;
let session: Session;
beforeEach(async () => {
  schema = await createTestSchema(inject('stack'));
  await schema.root.query(createOutboxTable(['thing']));
  await schema.root.query(createIdempotencyTable);
  session = await openSession(schema.connection);
});
afterEach(async () => {
  await session.close();
  await schema.drop();
});

interface Inserting {
  query(sql: string, values: unknown[]): Promise<unknown>;
}

/** Rows that happened `agesMs` ago; returns their ids. */
async function insert(agesMs: readonly number[], by: Inserting = schema.root): Promise<string[]> {
  const ids = agesMs.map(() => randomUUIDv7());
  const rows = agesMs.map((ageMs, n) => [
    ids[n],
    'thing',
    ids[n],
    1,
    'k',
    'T',
    'payload',
    new Date(Date.now() - ageMs),
  ]);
  await by.query(
    'INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, occurred_at) VALUES ?',
    [rows],
  );
  return ids;
}

const many = (count: number, ageMs: number): number[] => Array.from({ length: count }, () => ageMs);

async function left(): Promise<string[]> {
  const [rows] = await schema.root.query<RowDataPacket[]>('SELECT id FROM outbox ORDER BY seq');
  return rows.map((row) => String(row['id']));
}

const purge = (changes: Partial<OutboxPurge> = {}) =>
  purgeOutbox({
    session,
    findUnreceived: allReceived,
    awaitShipped: () => Promise.resolve({ kind: 'passed' }),
    retentionMs: 2 * hourMs,
    signal: new AbortController().signal,
    ...changes,
  });

describe('the purge of the outbox', () => {
  it('deletes what is older than the retention, in chunks, and nothing younger', async () => {
    await insert(many(2_500, 3 * hourMs));
    const young = await insert(many(20, hourMs));
    const progress: number[] = [];
    expect(await purge({ onProgress: (rows) => progress.push(rows) })).toMatchObject({
      kind: 'done',
      rows: 2_500,
    });
    expect(await left()).toEqual(young);
    expect(progress).toEqual([1_000, 2_000, 2_500]);
    expect(await purge()).toMatchObject({ kind: 'done', rows: 0 });
  });

  it('finds the old rows behind those of a clock that was years ahead', async () => {
    const future = await insert(many(1_100, -30 * 365 * 24 * hourMs));
    await insert(many(10, 3 * hourMs));
    expect(await purge()).toMatchObject({ kind: 'done', rows: 10 });
    expect(await left()).toEqual(future);
  });

  it('leaves a row that was committed after the proof began, although it is old and its seq lies between', async () => {
    const { name: database, ...address } = schema.connection;
    const late = await openConnection({ ...address, database });
    await insert([3 * hourMs]);
    await late.beginTransaction();
    const ids = await insert([3 * hourMs], late);
    await insert([3 * hourMs]);
    const outcome = await purge({
      awaitShipped: async () => {
        await late.commit();
        return { kind: 'passed' };
      },
    });
    await late.end();
    expect(outcome).toMatchObject({ kind: 'done', rows: 2 });
    expect(await left()).toEqual(ids);
  });

  it('deletes nothing without a proof, and only the proven pages when the proof fails later', async () => {
    const ids = await insert(many(30, 3 * hourMs));
    const cannotTell = { kind: 'cannot-tell', reason: 'the connector sleeps' } as const;
    const refused = { kind: 'refused', rows: 0, reason: 'the connector sleeps' };
    expect(await purge({ awaitShipped: () => Promise.resolve(cannotTell) })).toMatchObject(refused);
    expect(await left()).toEqual(ids);

    await insert(many(2_000, 3 * hourMs));
    let asked = 0;
    const once = () =>
      Promise.resolve((asked += 1) === 1 ? ({ kind: 'passed' } as const) : cannotTell);
    expect(await purge({ awaitShipped: once, pageRows: 1_000 })).toMatchObject({
      ...refused,
      rows: 1_000,
    });
    expect(await left()).toHaveLength(1_030);
  });

  it('keeps rows that were never shipped or of which that cannot be told, deletes those around them, and names them', async () => {
    const ids = await insert(many(2_500, 3 * hourMs));
    const missing = ids.slice(100, 115);
    const undecided = ids.slice(2_000, 2_003);
    const outcome = await purge({
      pageRows: 1_000,
      findUnreceived: async (rows) => ({
        missing: rows.filter(({ id }) => missing.includes(id)),
        undecided: rows.filter(({ id }) => undecided.includes(id)),
      }),
    });
    expect(outcome).toMatchObject({
      kind: 'done',
      rows: 2_482,
      kept: { missing: 15, undecided: 3 },
    });
    expect(outcome.kept.examples.map(({ aggregateId }) => aggregateId)).toEqual(
      missing.slice(0, 10),
    );
    expect(await left()).toEqual([...missing, ...undecided]);
    expect(describeKept(outcome.kept)).toMatch(
      new RegExp(
        `^15 old outbox rows never .*: ${missing[0]} version 1 \\(seq 101\\).*, and 5 more\\..*redrive.* 3 old outbox`,
      ),
    );
    expect(describeKept({ missing: 0, examples: [], undecided: 0 })).toBeUndefined();
  });

  it('deletes nothing when the consumer cannot be asked', async () => {
    const ids = await insert(many(30, 3 * hourMs));
    await expect(
      purge({ findUnreceived: () => Promise.reject(new Error('no such table')) }),
    ).rejects.toThrow('no such');
    expect(await left()).toEqual(ids);
  });

  it('a purge that is stopped keeps its chunks, and the next one goes on from there', async () => {
    await insert(many(2_500, 3 * hourMs));
    const stop = new AbortController();
    const stopped = await purge({ signal: stop.signal, onProgress: () => stop.abort() });
    expect(stopped).toMatchObject({ kind: 'stopped', rows: 1_000 });
    expect(await left()).toHaveLength(1_500);
    expect(await purge()).toMatchObject({ kind: 'done', rows: 1_500 });
  });

  it('ends with its connection, and deletes on no other', async () => {
    await insert(many(10, 3 * hourMs));
    const awaitShipped = () => {
      session.destroy();
      return Promise.resolve({ kind: 'passed' } as const);
    };
    await expect(purge({ awaitShipped })).rejects.toThrow('connection to the database is lost');
    expect(await left()).toHaveLength(10);
  });

  it('two at once delete every row once', async () => {
    await insert(many(3_000, 3 * hourMs));
    const second = await openSession(schema.connection);
    const outcomes = await Promise.all([purge(), purge({ session: second })]);
    await second.close();
    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'done']);
    expect(outcomes.reduce((sum, { rows }) => sum + rows, 0)).toBe(3_000);
    expect(await left()).toEqual([]);
  });

  it('a dry run proves and counts, and deletes nothing', async () => {
    await insert(many(5, 3 * hourMs));
    expect(await purge({ dryRun: true })).toMatchObject({ kind: 'done', rows: 5 });
    expect(await left()).toHaveLength(5);
  });

  it('refuses a retention of less than an hour', async () => {
    await expect(purge({ retentionMs: hourMs - 1 })).rejects.toThrow('at least 60 min');
  });

  it.each<[Partial<OutboxPurge>, string]>([
    [{ retentionMs: Number.NaN }, 'not for NaN ms'],
    [{ pageRows: Number.NaN }, 'pageRows is NaN, must be an integer of at least 1'],
    [
      { pace: { chunkRows: 0, pauseMs: 0 } },
      'pace.chunkRows is 0, must be an integer of at least 1',
    ],
    [
      { pace: { chunkRows: 1, pauseMs: -1 } },
      'pace.pauseMs is -1, must be an integer of at least 0',
    ],
  ])('refuses %o before it looks at a row', async (changes, message) => {
    const [id] = await insert([3 * hourMs]);
    await expect(purge(changes)).rejects.toThrow(message);
    expect(await left()).toEqual([id]);
  });
});

describe('the purge of idempotency keys', () => {
  it('deletes those of more than 24 hours, in chunks, by the index', async () => {
    const keys = many(2_200, 25 * hourMs).concat(many(30, 23 * hourMs));
    await schema.root.query(
      'INSERT INTO idempotency_key (key_hash, fingerprint, answer, created_at) VALUES ?',
      [
        keys.map((ageMs) => [
          Buffer.from(randomUUIDv7().replaceAll('-', '')),
          Buffer.alloc(32),
          'a',
          new Date(Date.now() - ageMs),
        ]),
      ],
    );
    const { signal } = new AbortController();
    await expect(
      purgeKeys({ session, signal, pace: { chunkRows: 0, pauseMs: 0 } }),
    ).rejects.toThrow('chunkRows is 0');
    expect(await purgeKeys({ session, signal })).toBe(2_200);
    expect(await outboxStatus(session)).toMatchObject({ rows: 0, oldestAt: null, keys: 30 });
    const [plan] = await schema.root.query<RowDataPacket[]>(
      'EXPLAIN FORMAT=TRADITIONAL DELETE /*+ INDEX(idempotency_key idempotency_key_created) */ FROM idempotency_key WHERE created_at < UTC_TIMESTAMP(3) - INTERVAL 24 HOUR ORDER BY created_at LIMIT 1000',
    );
    expect(plan[0]).toMatchObject({ key: 'idempotency_key_created' });
  });
});

import { randomUUIDv7 } from 'node:crypto';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boardTopic, catalogConsumer, headerNames } from '@board/contracts';
import { createDatabase } from '@board/mysql';
import { dismissDeadLetter } from '@board/inbox';
import { connectKafka, openAdmin } from '@board/kafka';
import { waitUntil } from '@board/test';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openBoardPipeline, type BoardPipeline } from './support/open-board-pipeline.ts';
import { openLogs } from '../commands/trace/read-logs.ts';
import { traceAggregate, type TraceOptions } from '../commands/trace/trace-aggregate.ts';

const stack = inject('stack');
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** Its second event fails at its first attempt. */
const stumbling = randomUUIDv7();

let folder: string;
let logFile: string;
let pipeline: BoardPipeline;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trace-'));
  logFile = join(folder, 'catalog-service.log');
  pipeline = await openBoardPipeline(stack, {
    boards: 0,
    logFile,
    sabotage({ data }, attempt) {
      if (data.id === stumbling && data.version === 2 && attempt === 1) throw new Error('planted');
    },
  });
}, 120_000);
afterAll(async () => {
  await pipeline.close();
  await rm(folder, { recursive: true });
}, 60_000);

async function trace(
  aggregateId: string,
  {
    logFiles = [logFile],
    ...changes
  }: Partial<TraceOptions> & { readonly logFiles?: readonly string[] } = {},
) {
  const traced = await traceAggregate({
    aggregateId,
    consumer: catalogConsumer,
    database: {
      host: stack.mysql.host,
      port: stack.mysql.port,
      user: 'audit',
      password: stack.passwords.audit,
    },
    kafka: { brokers: stack.brokers },
    logs: openLogs({ files: logFiles, aggregateId }),
    places: pipeline.places,
    ...changes,
  });
  return traced?.timeline;
}

async function markOf(boardId: string): Promise<number> {
  const [rows] = await pipeline.pair.consumer.root.query(
    'SELECT version FROM mark WHERE aggregateid = ?',
    [boardId],
  );
  return (rows as unknown as { version: number }[])[0]?.version ?? 0;
}

/** Produces a record without an outbox row, to the partition of the board's own records. */
async function forge(boardId: string, version: number, eventId: string): Promise<void> {
  const producer = connectKafka(stack, 'forger').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const headers = {
    [headerNames.eventId]: eventId,
    [headerNames.eventType]: 'BoardEdited',
    [headerNames.aggregateId]: boardId,
    [headerNames.version]: String(version),
  };
  const messages = [{ key: boardId, value: 'not Avro', headers }];
  await producer.send({ topic: pipeline.places.topic ?? '', acks: -1, messages });
  await producer.disconnect();
}

async function dismiss(id: string): Promise<void> {
  const database = createDatabase({ connection: pipeline.pair.consumer.connection, entities: [] });
  await database.open();
  const operator = {
    consumer: { group: pipeline.group, aggregateType: boardTopic.name },
    dataSource: database.dataSource,
    kafka: connectKafka(stack, 'operator'),
    now: Date.now,
  };
  const request = { id, reason: 'forged', neverExisted: true };
  await waitUntil(
    'dismissed',
    async () => (await dismissDeadLetter(operator, request)) === 'dismissed',
  );
  await database.close();
}

const kindsOf = (event: { steps: readonly { kind: string }[] } | undefined) =>
  event?.steps.map(({ kind }) => kind);

describe('the trace of a board', () => {
  it('shows each event up to the catalog, retries with their tiers and what waited', async () => {
    for (let version = 1; version <= 3; version += 1) await pipeline.change(stumbling);
    await waitUntil('all applied', async () => (await markOf(stumbling)) === 3);
    // As order-service logs it.
    const now = Date.now();
    const line = {
      time: new Date(now).toISOString(),
      name: 'order-service',
      event: 'event.committed',
      aggregateId: stumbling,
      version: 3,
      traceparent,
      requestId: 'r-1',
      receivedAt: new Date(now - 5).toISOString(),
    };
    await appendFile(logFile, `${JSON.stringify(line)}\n`);

    const timeline = await trace(stumbling);
    expect(timeline).toMatchObject({ aggregateId: stumbling, version: 3, mark: 3 });
    const [first, second, third] = timeline?.events ?? [];
    expect(first).toMatchObject({ version: 1, eventType: 'BoardCreated', outcome: 'applied' });
    expect(kindsOf(first)).toEqual(['changed', 'in topic', 'applied']);
    expect(first?.notFound).toEqual(['request', 'commit']);

    expect(second).toMatchObject({ version: 2, eventType: 'BoardEdited', outcome: 'applied' });
    expect(kindsOf(second)).toEqual(['changed', 'in topic', 'failed', 'applied']);
    expect(second?.steps[2]).toMatchObject({
      attempt: 1,
      tier: 1,
      error: 'planted',
      by: pipeline.group,
    });
    expect(second?.steps[3]).toMatchObject({ attempt: 2, by: pipeline.group });
    expect(second?.steps[3]?.afterMs).toBeGreaterThan(0);

    expect(third).toMatchObject({ outcome: 'applied', traceparent, notFound: [] });
    expect(kindsOf(third)?.toSorted()).toEqual([
      'applied',
      'committed',
      'in topic',
      'parked',
      'received',
    ]);

    const places =
      timeline?.events.flatMap(({ steps }) => steps.filter((step) => step.kind === 'in topic')) ??
      [];
    expect(places.map(({ topic, offset }) => [topic, offset])).toEqual(
      ['0', '1', '2'].map((offset) => [pipeline.places.topic, offset]),
    );
    expect(new Set(places.map(({ partition }) => partition)).size).toBe(1);
  });

  it('shows a dead letter, and what is parked behind it', async () => {
    const boardId = randomUUIDv7();
    await pipeline.change(boardId);
    await pipeline.change(boardId, { payload: Buffer.from('not Avro') });
    await pipeline.change(boardId);
    await waitUntil('a dead letter and its follower', async () => {
      const [rows] = await pipeline.pair.consumer.root.query(
        `SELECT (SELECT COUNT(*) FROM dead_letter WHERE aggregateid = ?) + (SELECT COUNT(*)
          FROM parked WHERE aggregateid = ?) AS n`,
        [boardId, boardId],
      );
      return Number((rows as unknown as { n: number }[])[0]?.n) === 2;
    });
    const timeline = await trace(boardId);
    expect(timeline?.events.map(({ version, outcome }) => [version, outcome])).toEqual([
      [1, 'applied'],
      [2, 'dead letter'],
      [3, 'parked'],
    ]);
    const deadLetter = timeline?.events[1]?.steps.find(({ kind }) => kind === 'dead letter');
    expect(deadLetter).toMatchObject({ reason: 'invalid-event', attempts: 1, by: pipeline.group });

    // Without logs the outcomes are the same, and the steps of the logs are not found.
    const bare = await trace(boardId, { logFiles: [] });
    expect(bare?.events.map(({ outcome, notFound }) => [outcome, notFound])).toEqual([
      ['applied', ['request', 'commit', 'applied']],
      ['dead letter', ['request', 'commit']],
      ['parked', ['request', 'commit']],
    ]);
    expect(kindsOf(bare?.events[2])).toContain('parked');
  });

  it('shows a forged event and the genuine one of its version apart', async () => {
    const boardId = randomUUIDv7();
    await pipeline.change(boardId);
    await waitUntil('applied', async () => (await markOf(boardId)) === 1);
    const forged = randomUUIDv7();
    await forge(boardId, 2, forged);
    // A record without an event id.
    await forge(boardId, 2, '');
    await dismiss(forged);
    await pipeline.change(boardId);
    await waitUntil('the genuine one applied', async () => (await markOf(boardId)) === 2);

    const expectTruth = async (changes: Parameters<typeof trace>[1]): Promise<void> => {
      const { events = [] } = (await trace(boardId, changes)) ?? {};
      expect(events.map(({ version, outcome }) => [version, outcome])).toEqual([
        [1, 'applied'],
        [2, 'dismissed'],
        [2, 'applied'],
      ]);
      expect(events[1]).toMatchObject({ eventId: forged });
      expect(
        events.map((event) => kindsOf(event)?.filter((kind) => kind === 'in topic').length),
      ).toEqual([1, 1, 1]);
      expect(events.flatMap(({ notFound }) => notFound)).not.toContain('record');
    };
    // Log lines follow their COMMIT.
    await waitUntil('the truth', () => expectTruth({}).then(() => true));
    await expectTruth({ logFiles: [] });
    // No row names the genuine event any more.
    await pipeline.pair.source.root.query('DELETE FROM outbox WHERE aggregateid = ?', [boardId]);
    await expectTruth({ logFiles: [] });
  });

  it('stops when all is found, and finds a later copy only when it reads to the end', async () => {
    const boardId = randomUUIDv7();
    await pipeline.change(boardId);
    await waitUntil('applied', async () => (await markOf(boardId)) === 1);
    await forge(boardId, 1, (await trace(boardId))?.events[0]?.eventId ?? '');
    const read = async (toEnd: boolean) => {
      const timeline = await trace(boardId, { toEnd });
      return [
        timeline?.isTopicReadToEnd,
        kindsOf(timeline?.events[0])?.filter((kind) => kind === 'in topic').length,
      ];
    };
    expect(await read(false)).toEqual([false, 1]);
    expect(await read(true)).toEqual([true, 2]);
  });

  it('reads only what came after --since', async () => {
    const boardId = randomUUIDv7();
    await pipeline.change(boardId);
    await waitUntil('applied', async () => (await markOf(boardId)) === 1);
    const sinceMs = Date.now() + 1;
    await waitUntil('a later moment', () => Date.now() > sinceMs);
    await pipeline.change(boardId);
    await waitUntil('applied', async () => (await markOf(boardId)) === 2);
    const timeline = await trace(boardId, { sinceMs });
    expect(timeline?.events.map(({ version }) => version)).toEqual([2]);
    expect(kindsOf(timeline?.events[0])).toEqual(['changed', 'in topic', 'applied']);
  });

  it('is undefined for a board that does not exist, and leaves no consumer group', async () => {
    expect(await trace(randomUUIDv7())).toBeUndefined();
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(trace(stumbling, { signal: stopped })).rejects.toThrow('stopped');
    const admin = await openAdmin({ brokers: stack.brokers });
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.filter(({ groupId }) => groupId.startsWith(`${pipeline.group}.trace.`))).toEqual(
      [],
    );
  });

  it('shows what is in the topic and not applied while no consumer runs', async () => {
    await pipeline.stopConsumer();
    const boardId = randomUUIDv7();
    await pipeline.change(boardId);
    await waitUntil(
      'in the topic',
      async () => (await trace(boardId))?.events[0]?.outcome === 'in topic',
    );
    expect(await trace(boardId)).toMatchObject({
      version: 1,
      mark: 0,
      events: [{ notFound: ['request', 'commit'] }],
    });
  });
});

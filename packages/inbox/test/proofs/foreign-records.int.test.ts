import { deadLetterTopicName, headerNames, retryTopicName } from '@board/contracts';
import { fetchedIn, type FetchedRecord, type RecordHeaders } from '@board/kafka';
import { runKafkaTool, uniqueName, waitUntil } from '@board/test';
import kafkajs, { type Message } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { deadLetterHeaders, sourceHeaders } from '../../src/fail/headers.ts';
import { replayDeadLetters } from '../../src/operator/replay.ts';
import { skipVersion } from '../../src/operator/skip.ts';
import type { Delivery } from '../../src/record.ts';
import { openInboxLab, type InboxLab, type RunningInbox } from '../support/inbox-lab.ts';
import type { ThingRecord } from '../support/thing-codec.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';
import { toHeaders } from '../support/to-headers.ts';

const stack = inject('stack');
let lab: InboxLab;
let running: RunningInbox;
/** Event ids that the handler refuses. */
const refused = new Set<string>();
let next = 0;
/** An aggregate of this test alone. */
const fresh = (): string => `t${(next += 1)}`;

beforeAll(async () => {
  lab = await openInboxLab(stack);
  running = await lab.start(
    thingLogHandler({
      batch: true,
      sabotage: ({ eventId }) => {
        // Only dead letters carry the stack.
        if (refused.has(eventId))
          throw Object.assign(new Error('refused by the test'), { stack: 'x'.repeat(4_000) });
      },
    }),
    { settings: { rereadForMs: 1_000 } },
  );
});
afterAll(() => lab.close());

interface DeadLetterRow {
  readonly letter: string;
  readonly reason: string;
  readonly bare: number;
  readonly error_message: string;
  readonly kafka_offset: number;
  readonly last_offset: number;
}

/** Dead letters of a test: those that its own work adds. */
async function deadLettersOf(
  work: () => Promise<unknown>,
  count: number,
): Promise<DeadLetterRow[]> {
  const all = () =>
    lab.rows<DeadLetterRow>('SELECT * FROM dead_letter ORDER BY kafka_partition, kafka_offset');
  const before = new Set((await all()).map(({ letter }) => letter));
  await work();
  const added = async () => (await all()).filter(({ letter }) => !before.has(letter));
  await waitUntil(`${count} dead letters`, async () => (await added()).length >= count, {
    timeoutMs: 60_000,
  });
  await lab.caughtUp(60_000);
  expect(running.failure()).toBeUndefined();
  return added();
}

async function isApplied(id: string, versions: readonly number[]): Promise<void> {
  await waitUntil(`${id} to be applied`, async () => {
    const applied = (await appliedVersions(lab.schema.root)).get(id) ?? [];
    return JSON.stringify(applied) === JSON.stringify(versions);
  });
}

function alarms(): string {
  return [...running.health.alarms.active().values()].map(({ reason }) => reason).join('; ');
}

async function endOfTopic(): Promise<bigint> {
  const admin = lab.kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(lab.topic);
  await admin.disconnect();
  return ends.reduce((sum, { high }) => sum + BigInt(high), 0n);
}

const at = <R extends object>(partition: number, record: R): R & { partition: number } => ({
  ...record,
  partition,
});
const junk = (headers: Record<string, unknown>): ThingRecord =>
  ({ key: 'k', value: 'junk', headers }) as never;

/** Records of the DLQ with the headers that they had in the source topic. */
async function readDlq(wanted: (record: FetchedRecord) => boolean): Promise<FetchedRecord> {
  const consumer = lab.kafka.consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 100 });
  const found = Promise.withResolvers<FetchedRecord>();
  await consumer.connect();
  await consumer.subscribe({ topics: [deadLetterTopicName(lab.group)], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => {
      for (const one of fetchedIn(batch))
        if (one.kind === 'record' && wanted(one)) found.resolve(one);
      return Promise.resolve();
    },
  });
  const record = await found.promise;
  await consumer.disconnect();
  return record;
}

const texts = (headers: RecordHeaders): (readonly [string, string | undefined])[] =>
  headers.entries.map(([name, value]) => [name, value?.toString()]);

describe('a record that another program wrote', () => {
  it('is a dead letter of its own, whatever its codec', { timeout: 90_000 }, async () => {
    const deadLetters = await deadLettersOf(async () => {
      for (const codec of ['lz4', 'snappy', 'zstd'])
        await runKafkaTool(
          'ConsoleProducer',
          stack.brokers,
          ['--topic', lab.topic, '--compression-codec', codec],
          'boom\n',
        );
    }, 3);
    expect(deadLetters.map(({ reason }) => reason)).toEqual([
      'no-identity',
      'no-identity',
      'no-identity',
    ]);
  });

  it(
    'is a dead letter with its headers byte for byte, whatever their names, order and values',
    { timeout: 90_000 },
    async () => {
      const lines = [
        'x:NUL,x:1\tpoison',
        '9:b,8:a,constructor:c,__proto__:d\tpoison',
        'inbox-headers:e\tpoison',
      ];
      const deadLetters = await deadLettersOf(
        () =>
          runKafkaTool(
            'ConsoleProducer',
            stack.brokers,
            [
              '--topic',
              lab.topic,
              '--reader-property',
              'parse.headers=true',
              '--reader-property',
              'null.marker=NUL',
            ],
            `${lines.join('\n')}\n`,
          ),
        3,
      );
      expect(deadLetters.map(({ reason }) => reason)).toEqual([
        'no-identity',
        'no-identity',
        'no-identity',
      ]);
      const expected = [
        [
          ['x', undefined],
          ['x', '1'],
        ],
        [
          ['9', 'b'],
          ['8', 'a'],
          ['constructor', 'c'],
          ['__proto__', 'd'],
        ],
        [['inbox-headers', 'e']],
      ];
      for (const [index, { kafka_offset: offset }] of deadLetters.entries()) {
        const record = await readDlq(
          (one) =>
            one.headers[deadLetterHeaders.originOffset]?.toString() === String(offset) &&
            one.value?.toString() === 'poison',
        );
        expect(texts(sourceHeaders(record.recordHeaders()))).toEqual(expected[index]);
      }
    },
  );

  it('has too many headers to be read, and costs no time for it', { timeout: 60_000 }, async () => {
    let longestMs = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 20);
    const headers = Object.fromEntries(
      Array.from({ length: 12_000 }, (_, n) => [n.toString(36), '']),
    );
    const id = fresh();
    const deadLetters = await deadLettersOf(
      () => lab.produce([at(0, junk(headers)), at(0, lab.thing(id, 1))]),
      1,
    );
    clearInterval(beat);
    expect(deadLetters).toMatchObject([
      { reason: 'no-identity', error_message: expect.stringContaining('12000 headers') },
    ]);
    await isApplied(id, [1]);
    // Quadratic reading takes half a minute here.
    expect(longestMs).toBeLessThan(5_000);
  });

  it('is a bare dead letter when the DLQ cannot hold it', { timeout: 60_000 }, async () => {
    const id = fresh();
    const deadLetters = await deadLettersOf(async () => {
      await sendCompressed({ partition: 0, value: Buffer.alloc(3_000_000, 'a') });
      await lab.produce([at(0, lab.thing(id, 1))]);
    }, 1);
    expect(deadLetters).toMatchObject([{ reason: 'no-identity', bare: 1 }]);
    await isApplied(id, [1]);
  });

  it(
    'does not stop the partition by hand-made headers in a retry topic',
    { timeout: 60_000 },
    async () => {
      const identity = {
        [headerNames.eventId]: 'e',
        [headerNames.aggregateId]: 'hand-made',
        [headerNames.version]: '1',
      };
      const id = fresh();
      refused.add(`${id}-1`);
      const deadLetters = await deadLettersOf(
        () =>
          lab.produce(
            [
              at(0, junk({ ...identity, 'kafka_original-topic': '한글' })),
              at(0, junk({ ...identity, 'kafka_original-partition': '2147483647' })),
              at(0, junk({ ...identity, 'kafka_original-partition': '1' })),
              at(0, junk({ ...identity, 'kafka_original-offset': '9999999999999999999' })),
              at(0, junk({ ...identity, 'inbox-headers': 'no block of headers' })),
            ],
            retryTopicName(lab.group, 1),
          ),
        5,
      );
      expect(new Set(deadLetters.map(({ reason }) => reason))).toEqual(new Set(['no-identity']));
    },
  );

  it(
    'comes by the thousand without an identity, and is dead-lettered a slice at a time',
    { timeout: 90_000 },
    async () => {
      const { publisher } = running.inbox;
      let publishes = 0;
      const counting = {
        ...publisher,
        publish: (...args: Parameters<typeof publisher.publish>) => (
          (publishes += 1),
          publisher.publish(...args)
        ),
      };
      Object.assign(running.inbox, { publisher: counting });
      const records = Array.from({ length: 5_000 }, () => at(1, junk({ some: 'header' })));
      await deadLettersOf(() => lab.produce(records), 5_000);
      Object.assign(running.inbox, { publisher });
      // Two per slice of 500 at most: the records, then what was refused of them.
      expect(publishes).toBeLessThan(100);
    },
  );
});

describe('an event with headers that kafkajs cannot send', () => {
  const odd = { toString: 'x', 'inbox-reason': 'mine', 'retry_topic-attempts': '3', '7': 'seven' };

  it(
    'parks, is retried and dies with them, and comes back from the DLQ as it was',
    { timeout: 90_000 },
    async () => {
      const id = fresh();
      const second = lab.thing(id, 2, { headers: odd, eventId: `${id}-2` });
      refused.add(`${id}-2`);
      await lab.produce([at(2, second), at(2, lab.thing(id, 1))]);
      await waitUntil('the dead letter', async () => {
        const [row] = await lab.rows<{ reason: string }>(
          'SELECT reason FROM dead_letter WHERE letter = ?',
          [`${id}-2`],
        );
        return row?.reason === 'attempts-exhausted';
      });
      const record = await readDlq((one) => one.headers['id']?.toString() === `${id}-2`);
      const source = toHeaders(second.headers);
      expect(sourceHeaders(record.recordHeaders())).toEqual(source);
      refused.delete(`${id}-2`);
      expect(await replay(`${id}-2`)).toBe('replayed');
      await isApplied(id, [1, 2]);
    },
  );
});

describe('transactions in the source topic', () => {
  it('stop nothing, whether committed, aborted or left open', { timeout: 60_000 }, async () => {
    const ids = [fresh(), fresh(), fresh()];
    const [committed, aborted, open] = ids.map((id) => at(0, lab.thing(id, 1)));
    const producer = lab.kafka.producer({
      transactionalId: uniqueName('tx'),
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 30_000,
    });
    await producer.connect();
    const first = await producer.transaction();
    await first.send({ topic: lab.topic, messages: [committed as ThingRecord] });
    await first.commit();
    const second = await producer.transaction();
    await second.send({ topic: lab.topic, messages: [aborted as ThingRecord] });
    await second.abort();
    const third = await producer.transaction();
    await third.send({ topic: lab.topic, messages: [open as ThingRecord] });
    // An outbox row is committed in MySQL, whatever became of its Kafka transaction.
    for (const id of ids) await isApplied(id, [1]);
    await lab.caughtUp();
    const before = await endOfTopic();
    await third.abort();
    await waitUntil('its marker', async () => (await endOfTopic()) > before);
    // The offset of the last marker too.
    await lab.caughtUp();
    await producer.disconnect();
  });
});

describe('an error that no table knows', () => {
  /** Plants a fault of our own: the decoder fails for these aggregates. */
  function plant(fails: (aggregateId: string) => boolean): () => void {
    const { decoder } = running.inbox;
    const planted = {
      ...decoder,
      toMessage: (delivery: Delivery) => {
        if (fails(delivery.identity.aggregateId))
          throw new TypeError(`planted for ${delivery.identity.version}`);
        return decoder.toMessage(delivery);
      },
    };
    Object.assign(running.inbox, { decoder: planted });
    return () => void Object.assign(running.inbox, { decoder });
  }

  async function count(): Promise<number> {
    return (await lab.rows('SELECT 1 FROM dead_letter')).length;
  }

  it(
    'dead-letters nothing while every record fails, names itself, and all is applied once it is gone',
    { timeout: 90_000 },
    async () => {
      const before = await count();
      const heal = plant(() => true);
      const ids = Array.from({ length: 30 }, fresh);
      await lab.produce(ids.map((id) => lab.thing(id, 1)));
      // Through the time for reading again, the halving, and several searches for a control.
      await waitUntil('no control', async () => alarms().includes('other records fail too'), {
        timeoutMs: 40_000,
      });
      expect(alarms()).toContain('TypeError: planted for 1');
      expect(await count()).toBe(before);
      heal();
      for (const id of ids) await isApplied(id, [1]);
      expect(await count()).toBe(before);
      await waitUntil('the alarm to clear', async () => !alarms().includes('planted'));
    },
  );

  it(
    'of the database is an outage, and not the fault of the events',
    { timeout: 90_000 },
    async () => {
      const before = await count();
      await lab.rows(`CREATE TRIGGER ${lab.schema.name}.planted BEFORE INSERT ON ${lab.schema.name}.mark FOR EACH ROW
      SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31415, MESSAGE_TEXT = 'planted outage'`);
      const ids = Array.from({ length: 30 }, fresh);
      await lab.produce(ids.map((id) => lab.thing(id, 1)));
      await waitUntil('no control', async () => alarms().includes('other records fail too'), {
        timeoutMs: 40_000,
      });
      expect(alarms()).toContain('planted outage');
      await lab.rows(`DROP TRIGGER ${lab.schema.name}.planted`);
      for (const id of ids) await isApplied(id, [1]);
      expect(await count()).toBe(before);
    },
  );

  it(
    'of one record alone makes it a dead letter once another record was processed; a replay applies it later',
    { timeout: 90_000 },
    async () => {
      const [bad, good, follower] = [fresh(), fresh(), fresh()];
      const heal = plant((id) => id === bad);
      const deadLetters = await deadLettersOf(
        () =>
          lab.produce([
            at(0, lab.thing(bad, 1, { eventId: bad })),
            at(0, lab.thing(good, 1)),
            at(0, lab.thing(follower, 1)),
          ]),
        1,
      );
      expect(deadLetters).toMatchObject([{ letter: bad, reason: 'unprocessable', bare: 0 }]);
      await isApplied(good, [1]);
      await lab.produce([at(0, lab.thing(bad, 2))]);
      await lab.caughtUp();
      heal();
      expect(await replay(bad)).toBe('replayed');
      await isApplied(bad, [1, 2]);
    },
  );

  it(
    'of the only record there is makes it a dead letter once a record of the inbox itself was processed',
    { timeout: 90_000 },
    async () => {
      const bad = fresh();
      const heal = plant((id) => id === bad);
      const deadLetters = await deadLettersOf(
        () => lab.produce([at(0, lab.thing(bad, 1, { eventId: bad }))]),
        1,
      );
      heal();
      expect(deadLetters).toMatchObject([{ letter: bad, reason: 'unprocessable' }]);
    },
  );

  it(
    'of a batch that cannot be decoded passes it as one dead letter, with its offsets',
    { timeout: 90_000 },
    async () => {
      const id = fresh();
      const deadLetters = await deadLettersOf(async () => {
        await sendCompressed(
          ...Array.from({ length: 3 }, () => ({ partition: 0, value: Buffer.alloc(25_000_000) })),
        );
        await lab.produce([at(0, lab.thing(id, 1))]);
      }, 1);
      expect(deadLetters).toMatchObject([{ reason: 'unprocessable', bare: 1 }]);
      expect(Number(deadLetters[0]?.last_offset) - Number(deadLetters[0]?.kafka_offset)).toBe(2);
      await isApplied(id, [1]);
    },
  );
});

describe('a bare dead letter', () => {
  it('is replayed from its place in the source topic', { timeout: 60_000 }, async () => {
    const id = fresh();
    // It fits into the retry topics; with what a dead letter says of its error it does not fit
    // into the DLQ.
    const event = at(0, lab.thing(id, 1, { eventId: id, text: 'x'.repeat(1_114_112 - 2_500) }));
    refused.add(id);
    const deadLetters = await deadLettersOf(() => sendCompressed(event), 1);
    expect(deadLetters).toMatchObject([{ letter: id, reason: 'attempts-exhausted', bare: 1 }]);
    refused.delete(id);
    expect(await replay(id)).toBe('replayed');
    await isApplied(id, [1]);
  });

  it(
    'whose record no retry topic can hold is said to be incomplete, and is closed by a skip',
    { timeout: 60_000 },
    async () => {
      const id = fresh();
      const event = at(0, lab.thing(id, 1, { eventId: id, text: 'x'.repeat(2_000_000) }));
      refused.add(id);
      const deadLetters = await deadLettersOf(() => sendCompressed(event), 1);
      expect(deadLetters).toMatchObject([{ letter: id, reason: 'unprocessable', bare: 1 }]);
      expect(await replay(id)).toBe('incomplete');
      await lab.produce([at(0, lab.thing(id, 2))]);
      await lab.caughtUp();
      const skip = { aggregateId: id, version: 1, reason: 'too large' };
      expect(await skipVersion(running.operator, skip)).toMatchObject({ outcome: 'skipped' });
      await isApplied(id, [2]);
      const [row] = await lab.rows<{ closed_by: string }>(
        'SELECT closed_by FROM dead_letter WHERE letter = ?',
        [id],
      );
      expect(row?.closed_by).toBe('skipped');
    },
  );
});

/** As large as it likes: the lab's source topic does not say how it stores. */
async function sendCompressed(...messages: readonly Message[]): Promise<void> {
  const producer = lab.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({
    topic: lab.topic,
    acks: -1,
    compression: kafkajs.CompressionTypes.GZIP,
    messages: [...messages],
  });
  await producer.disconnect();
}

async function replay(deadLetter: string): Promise<string | undefined> {
  for await (const { outcome } of replayDeadLetters(running.operator, { ids: [deadLetter] }))
    return outcome;
  return undefined;
}

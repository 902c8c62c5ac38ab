import { runKafkaTool, uniqueName, waitUntil } from '@board/test';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { connectKafka, openAdmin, readRanges, type FetchedRecord } from '../src/index.ts';

const stack = inject('stack');
const kafka = connectKafka(stack, 'record-batches');
const topic = uniqueName('batches');
const admin = await openAdmin(kafka);

beforeAll(async () => {
  const configEntries = [{ name: 'max.message.bytes', value: '2000000' }];
  await admin.createTopics({
    topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }],
    waitForLeaders: false,
  });
  await waitUntil('a leader', () => admin.fetchTopicOffsets(topic));
});
afterAll(async () => {
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
});

async function ends(): Promise<{ from: bigint; end: bigint }> {
  const [partition] = await admin.fetchTopicOffsets(topic);
  return { from: BigInt(partition?.low ?? 0), end: BigInt(partition?.high ?? 0) };
}

async function read(from: bigint): Promise<FetchedRecord[]> {
  const records: FetchedRecord[] = [];
  const { end } = await ends();
  await readRanges(
    kafka,
    uniqueName('reader'),
    [{ topic, partition: 0, from, end }],
    (_range, record) => {
      records.push(record);
      return 'more';
    },
  );
  return records;
}

it(
  "a consumer reads what Kafka's own producer compresses with any codec",
  { timeout: 120_000 },
  async () => {
    const { end: from } = await ends();
    const lines = (codec: string) =>
      Array.from({ length: 3_000 }, (_, n) => `${codec} ${n} ${'text '.repeat(n % 40)}`);
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    for (const codec of codecs)
      await runKafkaTool(
        'ConsoleProducer',
        stack.brokers,
        ['--topic', topic, '--compression-codec', codec, '--batch-size', '100000'],
        `${lines(codec).join('\n')}\n`,
      );
    const values = (await read(from)).map(({ value }) => value?.toString());
    expect(values).toEqual(codecs.flatMap(lines));
  },
);

it('a consumer keeps headers byte for byte: their order, repeated names, null values, names of Object.prototype', async () => {
  const { end: from } = await ends();
  const line = 'x:NUL,x:1,10:b,9:a,constructor:c,__proto__:d,x:2\tvalue\n';
  const args = [
    '--topic',
    topic,
    '--reader-property',
    'parse.headers=true',
    '--reader-property',
    'null.marker=NUL',
  ];
  await runKafkaTool('ConsoleProducer', stack.brokers, args, line);
  const [record] = await read(from);
  expect(record?.recordHeaders().entries.map(([name, value]) => [name, value?.toString()])).toEqual(
    [
      ['x', undefined],
      ['x', '1'],
      ['10', 'b'],
      ['9', 'a'],
      ['constructor', 'c'],
      ['__proto__', 'd'],
      ['x', '2'],
    ],
  );
});

it('a consumer reads records of an aborted and of an open transaction, and knows the end behind them', async () => {
  const { end: from } = await ends();
  const producer = kafka.producer({
    transactionalId: uniqueName('tx'),
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 30_000,
  });
  await producer.connect();
  const aborted = await producer.transaction();
  await aborted.send({ topic, messages: [{ value: 'aborted' }] });
  await aborted.abort();
  const open = await producer.transaction();
  await open.send({ topic, messages: [{ value: 'open' }] });
  // The marker of the abort has an offset of its own.
  expect((await ends()).end - from).toBe(3n);
  expect((await read(from)).map(({ value }) => value?.toString())).toEqual(['aborted', 'open']);
  await open.abort();
  // The abort is answered before its marker is written, which would stand among the records of the
  // next test.
  await waitUntil('the marker', async () => (await ends()).end - from === 4n);
  await producer.disconnect();
});

it('a batch that is too large once it is decompressed is handed on as one that cannot be decoded', async () => {
  const { end: from } = await ends();
  const producer = kafka.producer();
  await producer.connect();
  const send = (value: Buffer | string) =>
    producer.send({ topic, compression: kafkajs.CompressionTypes.GZIP, messages: [{ value }] });
  await send('before');
  await send(Buffer.alloc(70_000_000));
  await send('after');
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: uniqueName('reader') });
  const seen: unknown[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ message }) => {
      const { offset, kind, error } = message as unknown as {
        offset: string;
        kind: string;
        error?: Error;
      };
      if (BigInt(offset) >= from)
        seen.push(error === undefined ? kind : `${kind}: ${error.message}`);
      return Promise.resolve();
    },
  });
  await waitUntil('the last record', () => seen.length >= 3);
  await consumer.disconnect();
  expect(seen).toEqual(['record', expect.stringMatching(/^undecodable: /), 'record']);
});

import { createHash } from 'node:crypto';
import { connectKafka } from '@board/kafka';
import { createLogger } from '@board/service';
import { runKafkaTool, uniqueName } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { foreignMarker } from '../history.ts';
import { readTopics } from './read-topics.ts';

const { brokers } = inject('stack');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('records of other programs are read to the byte, past the markers of transactions', async () => {
  const [source, group] = [uniqueName('source'), uniqueName('group')];
  const topics = [source, ...[1, 2, 3].map((tier) => `${group}.retry.${tier}`), `${group}.dlq`];
  const kafka = connectKafka(
    { brokers },
    'checker-test',
    createLogger({ name: 'checker-test', level: 'silent' }),
  );
  const admin = kafka.admin();
  await admin.connect();
  onTestFinished(async () => {
    await admin.deleteTopics({ topics });
    await admin.deleteGroups([group, `${group}.retry`]);
    await admin.disconnect();
  });
  await admin.createTopics({
    topics: topics.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
  });

  const lines = [
    `id:one,aggregateId:NUL,version:1,version:2\tNUL\tvalue ${foreignMarker(7)}`,
    'x:\tkey\tNUL',
    'NUL\tkey\tv',
  ];
  const parsed = ['parse.headers=true', 'parse.key=true', 'null.marker=NUL'].flatMap((one) => [
    '--reader-property',
    one,
  ]);
  const args = ['--topic', source, '--compression-codec', 'zstd', ...parsed];
  await runKafkaTool('ConsoleProducer', brokers, args, lines.map((line) => `${line}\n`).join(''));
  const producer = kafka.producer({
    transactionalId: uniqueName('foreign'),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  for (const end of ['commit', 'abort'] as const) {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: source,
      messages: [
        { partition: 0, key: '가\t\n', value: Buffer.from([0, 255, 92, 10]), headers: { id: end } },
      ],
    });
    await transaction[end]();
  }
  await producer.disconnect();
  for (const groupId of [group, `${group}.retry`])
    await admin.setOffsets({ groupId, topic: source, partitions: [{ partition: 0, offset: '3' }] });

  const read = await readTopics(brokers, { source, group, silenceMs: 2_000, passWithinMs: 0 });
  const digest = createHash('sha256')
    .update(Buffer.from([0, 255, 92, 10]))
    .digest('hex');
  const place = {
    topic: source,
    partition: 0,
    appendedAt: expect.any(Number) as number,
    foreignId: null,
  };
  expect(read.source).toEqual([
    {
      ...place,
      offset: 0,
      key: null,
      headers: { id: 'one', aggregateId: null },
      digest: sha256(`value ${foreignMarker(7)}`),
      foreignId: 7,
    },
    { ...place, offset: 1, key: 'key', headers: {}, digest: null },
    { ...place, offset: 2, key: 'key', headers: {}, digest: sha256('v') },
    { ...place, offset: 3, key: '가\t\n', headers: { id: 'commit' }, digest },
    { ...place, offset: 5, key: '가\t\n', headers: { id: 'abort' }, digest },
  ]);
  expect(read.groups.filter(({ topic }) => topic === source)).toEqual([
    { group, topic: source, partition: 0, committed: 3, end: 7 },
  ]);

  // So short a silence is that of brokers which do not answer.
  await expect(
    readTopics(brokers, { source, group, silenceMs: 1, patienceMs: 1, passWithinMs: 0 }),
  ).rejects.toThrow(`${source}/0 ends at 7, and could not be read from 0 on`);
}, 300_000);

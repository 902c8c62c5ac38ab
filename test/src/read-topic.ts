import { connectKafka } from '@board/kafka-kit';
import { createLogger } from '@board/service-kit';
import { uniqueName } from './test-schema.ts';

/** A record as a reader outside the pipeline sees it; null header values are undefined here. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: string;
  readonly timestampMs: number;
  readonly key: string | undefined;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Every record that the topic holds now, read by a group of its own. */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const kafka = connectKafka({ brokers }, 'test-reader', createLogger({ name: 'test-reader', level: 'silent' }));
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  const missing = new Map(
    ends.filter(({ high, low }) => high !== low).map(({ partition, high }) => [partition, BigInt(high)]),
  );
  const records: TopicRecord[] = [];
  const groupId = uniqueName('reader');
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const done = Promise.withResolvers<void>();
  if (missing.size === 0) done.resolve();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ partition, message: { offset, timestamp, key, value, headers = {} } }) => {
      records.push({
        partition,
        offset,
        timestampMs: Number(timestamp),
        key: key?.toString(),
        value,
        headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, text?.toString()])),
      });
      if (BigInt(offset) + 1n >= (missing.get(partition) ?? 0n)) missing.delete(partition);
      if (missing.size === 0) done.resolve();
      return Promise.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  await admin.deleteGroups([groupId]);
  await admin.disconnect();
  return records;
}

import type { Kafka } from 'kafkajs';

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/**
 * Commits an offset of a group without members. Each `admin.setOffsets` of kafkajs would wait five
 * seconds for a fetch.
 */
export async function commitOffset(
  kafka: Kafka,
  groupId: string,
  offset: CommittedOffset,
): Promise<void> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  try {
    const joined = Promise.withResolvers<void>();
    consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
    await consumer.subscribe({ topics: [offset.topic] });
    await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
    await joined.promise;
    await consumer.commitOffsets([offset]);
  } finally {
    await consumer.disconnect();
  }
}

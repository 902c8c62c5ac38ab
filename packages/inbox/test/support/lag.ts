import { retryTopicName } from '@board/contracts';
import type { Admin, Kafka } from 'kafkajs';

/** Records of the topics that are there and that the group has not processed yet. */
export async function lagOf(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
): Promise<bigint> {
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  let lag = 0n;
  for (const { topic, partitions } of committed) {
    const processed = new Map(
      partitions.map(({ partition, offset }) => [partition, BigInt(offset)]),
    );
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const at = processed.get(partition) ?? 0n;
      lag += BigInt(high) - (at < BigInt(low) ? BigInt(low) : at);
    }
  }
  return lag;
}

interface Retried {
  readonly kafka: Kafka;
  readonly group: string;
}

/** Records of the group's retry topics that it has not processed yet. */
export async function retryLag({ kafka, group }: Retried, tiers = 3): Promise<bigint> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = Array.from({ length: tiers }, (_, index) => retryTopicName(group, index + 1));
    return await lagOf(admin, `${group}.retry`, topics);
  } finally {
    await admin.disconnect();
  }
}

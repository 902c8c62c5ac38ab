import { retryTopicName } from '@board/contracts';
import type { InboxLab } from './inbox-lab.ts';

/** Records of the group's retry topics that it has not processed yet. */
export async function retryLag(lab: InboxLab, tiers = 3): Promise<bigint> {
  const admin = lab.kafka.admin();
  await admin.connect();
  try {
    const topics = Array.from({ length: tiers }, (_, index) => retryTopicName(lab.group, index + 1));
    const committed = await admin.fetchOffsets({ groupId: `${lab.group}.retry`, topics });
    let lag = 0n;
    for (const { topic, partitions } of committed) {
      const processed = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const at = processed.get(partition) ?? 0n;
        lag += BigInt(high) - (at < BigInt(low) ? BigInt(low) : at);
      }
    }
    return lag;
  } finally {
    await admin.disconnect();
  }
}

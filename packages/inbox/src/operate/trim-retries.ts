import { retryTopicName } from '@board/contracts';
import { withAdmin } from '@board/kafka-kit';
import type { Kafka } from 'kafkajs';
import { planTrim } from './plan-trim.ts';

/**
 * Deletes what the group has settled from its retry topics, and says how many records: those below the committed offset of
 * its retry group, which were applied or are further on. Never `board`, never the DLQ. Safe to call twice, at once too.
 */
export async function trimRetries(kafka: Kafka, group: string, retryTiers = 3): Promise<number> {
  const topics = Array.from({ length: retryTiers }, (_, index) => retryTopicName(group, index + 1));
  return withAdmin(kafka, async (admin) => {
    let deleted = 0;
    const committed = await admin.fetchOffsets({ groupId: `${group}.retry`, topics });
    for (const topic of topics) {
      // Also tells the client who leads the partitions: without that the deletion goes to nobody.
      const ends = await admin.fetchTopicOffsets(topic);
      const settled = committed.find((one) => one.topic === topic)?.partitions ?? [];
      const plan = planTrim(ends, settled);
      if (plan.length === 0) continue;
      await admin.deleteTopicRecords({
        topic,
        partitions: plan.map(({ partition, offset }) => ({ partition, offset })),
      });
      deleted += plan.reduce((sum, { records }) => sum + records, 0);
    }
    return deleted;
  });
}

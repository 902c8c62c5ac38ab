import { retryTierOf, retryTopicName, type ConsumerDefinition } from '@board/contracts';
import type { Kafka } from 'kafkajs';

/**
 * The names of a consumer's retry topics, in the order of their tiers: the defined ones, and those that a definition with more
 * tiers has left. What is still in them is read until it is applied or in the DLQ.
 */
export async function findRetryTopics(
  kafka: Kafka,
  { group, retryTiers }: Pick<ConsumerDefinition, 'group' | 'retryTiers'>,
): Promise<string[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const defined = Array.from({ length: retryTiers }, (_, index) => retryTopicName(group, index + 1));
    const tiers = new Map<number, string>();
    for (const name of [...defined, ...(await admin.listTopics())]) {
      const tier = retryTierOf(group, name);
      if (tier !== undefined) tiers.set(tier, name);
    }
    return [...tiers].sort(([a], [b]) => a - b).map(([, name]) => name);
  } finally {
    await admin.disconnect();
  }
}

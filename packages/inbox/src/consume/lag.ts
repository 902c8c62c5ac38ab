import { openAdmin, withAdmin } from '@board/kafka';
import { type ConsumerDefinition, retryTierOf, retryTopicName } from '@board/contracts';
import type { Kafka } from 'kafkajs';

/** One partition as the brokers see it. */
export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  /** Undefined: the group has committed nothing yet, and will begin with the earliest. */
  readonly committed: bigint | undefined;
  /** The earliest offset that is there. */
  readonly low: bigint;
  /** The high watermark. */
  readonly end: bigint;
}

export interface LagReader {
  /** Every partition of the topics; throws when the brokers cannot tell now. */
  read(): Promise<PartitionPosition[]>;
  close(): Promise<void>;
}

/** The offset of the next record that the group will process. */
export function nextOffset({ committed, low }: PartitionPosition): bigint {
  return committed ?? low;
}

/** Asks the brokers themselves: a consumer that has stalled without an error cannot be asked. */
export async function openLagReader(
  kafka: Kafka,
  groupId: string,
  topics: readonly string[],
): Promise<LagReader> {
  const admin = await openAdmin(kafka, { retries: 2 });
  return {
    async read() {
      const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
      const positions: PartitionPosition[] = [];
      for (const topic of topics) {
        const offsets = new Map(
          committed
            .find((one) => one.topic === topic)
            ?.partitions.map((one) => [one.partition, one.offset]),
        );
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          const offset = BigInt(offsets.get(partition) ?? '-1');
          positions.push({
            topic,
            partition,
            committed: offset < 0n ? undefined : offset,
            low: BigInt(low),
            end: BigInt(high),
          });
        }
      }
      return positions;
    },
    close: () => admin.disconnect(),
  };
}

/**
 * The names of a consumer's retry topics, in the order of their tiers: the defined ones, and those
 * that a definition with more tiers has left. What is still in them is read until it is applied or
 * in the DLQ.
 */
export async function findRetryTopics(
  kafka: Kafka,
  { group, retryTiers }: Pick<ConsumerDefinition, 'group' | 'retryTiers'>,
): Promise<string[]> {
  const defined = Array.from({ length: retryTiers }, (_, index) =>
    retryTopicName(group, index + 1),
  );
  const existing = await withAdmin(kafka, (admin) => admin.listTopics());
  const tiers = new Map<number, string>();
  for (const name of [...defined, ...existing]) {
    const tier = retryTierOf(group, name);
    if (tier !== undefined) tiers.set(tier, name);
  }
  return [...tiers].sort(([a], [b]) => a - b).map(([, name]) => name);
}

import { withAdmin } from '@board/kafka';
import { type ConsumerDefinition, retryGroupOf } from '@board/contracts';
import type { Kafka } from 'kafkajs';
import { findMissing } from '../consume/positions.ts';
import { type PartitionPosition, findRetryTopics, openLagReader } from '../consume/lag.ts';
import { selfTestAggregateId } from '../decide.ts';
import { type Operator, storeOf } from './operator.ts';

/**
 * What a source topic no longer holds: a consumer that begins with its earliest record would not
 * get it.
 */
export type TopicGap =
  | {
      readonly kind: 'begins-late';
      readonly topic: string;
      readonly partition: number;
      readonly low: number;
    }
  /**
   * Found by the consumer; a clean audit makes up for it in the consumer's tables, not in the
   * topic.
   */
  | { readonly kind: 'missing'; readonly reason: string }
  /**
   * Fewer records than events that were applied: another topic of the same name, or the marks came
   * from a baseline.
   */
  | {
      readonly kind: 'too-few';
      readonly topic: string;
      readonly records: number;
      readonly applied: number;
    };

export interface TopicExtent {
  readonly positions: readonly PartitionPosition[];
  readonly gaps: readonly TopicGap[];
}

/**
 * Looks for signs that the source topic does not hold everything that the consumer has applied;
 * throws without an answer.
 */
export async function findTopicGaps(operator: Operator, sourceTopic: string): Promise<TopicExtent> {
  const { consumer, kafka } = operator;
  const lagReader = await openLagReader(kafka, consumer.group, [sourceTopic]);
  try {
    const positions = await lagReader.read();
    const { remembered, known } = await storeOf(operator).transaction(async (tx) => ({
      remembered: await tx.positions.read(),
      known: await tx.positions.everMissing(sourceTopic),
    }));
    const gaps: TopicGap[] = [];
    for (const position of positions) {
      const { topic, partition, low } = position;
      if (low > 0n) gaps.push({ kind: 'begins-late', topic, partition, low: Number(low) });
      const before = remembered.find((one) => one.topic === topic && one.partition === partition);
      const missing = before && findMissing(before, position, undefined);
      if (missing !== undefined) gaps.push({ kind: 'missing', reason: missing.reason });
    }
    gaps.push(...known.map((reason) => ({ kind: 'missing' as const, reason })));
    const records = positions.reduce((sum, { low, end }) => sum + Number(end - low), 0);
    const applied = await countApplied(operator);
    if (records < applied) gaps.push({ kind: 'too-few', topic: sourceTopic, records, applied });
    return { positions, gaps };
  } finally {
    await lagReader.close();
  }
}

/**
 * The events behind the marks, each of which was a record once; a version that was skipped as lost
 * never was.
 */
async function countApplied({ consumer, dataSource }: Operator): Promise<number> {
  const key = [consumer.group, consumer.aggregateType];
  const [row]: readonly { passed: string | null; skips: string }[] = await dataSource.query(
    `SELECT SUM(version) AS passed,
       (SELECT COUNT(*) FROM skipped WHERE consumer = ? AND aggregatetype = ? AND event_id = '') AS skips
     FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid <> '${selfTestAggregateId}'`,
    [...key, ...key],
  );
  return Number(row?.passed ?? 0) - Number(row?.skips ?? 0);
}

/**
 * Deletes the records that the group has processed from its retry topics, and returns how many:
 * those below the committed offset of its retry group, which were applied or are further on. Never
 * deletes from the source topic or the DLQ. Safe to call twice, at once too.
 */
export async function trimRetries(
  kafka: Kafka,
  consumer: Pick<ConsumerDefinition, 'group' | 'retryTiers'>,
): Promise<number> {
  const topics = await findRetryTopics(kafka, consumer);
  return withAdmin(kafka, async (admin) => {
    let deleted = 0;
    const committed = await admin.fetchOffsets({ groupId: retryGroupOf(consumer), topics });
    for (const topic of topics) {
      // Also loads the partitions' leaders into the client: without them the deletion reaches no
      // broker.
      const ends = await admin.fetchTopicOffsets(topic);
      const offsets = committed.find((one) => one.topic === topic)?.partitions ?? [];
      const plan = planTrim(ends, offsets);
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

interface Ends {
  readonly partition: number;
  readonly low: string;
  readonly high: string;
}

interface Committed {
  readonly partition: number;
  readonly offset: string;
}

/** Up to where records of a partition can go, and how many that are. */
export interface Trim {
  readonly partition: number;
  readonly offset: string;
  readonly records: number;
}

/** Which partitions have records below the committed offset; none where nothing is committed. */
export function planTrim(ends: readonly Ends[], committed: readonly Committed[]): Trim[] {
  return ends.flatMap(({ partition, low, high }) => {
    const processed = BigInt(committed.find((one) => one.partition === partition)?.offset ?? '-1');
    // Nothing new; nor -1, which here stands for "nothing committed", and to the broker for
    // "everything".
    if (processed <= BigInt(low)) return [];
    // From an earlier topic of the same name.
    if (processed > BigInt(high)) return [];
    return [{ partition, offset: String(processed), records: Number(processed - BigInt(low)) }];
  });
}

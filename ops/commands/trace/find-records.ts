import { randomUUID } from 'node:crypto';
import { headerNames } from '@board/contracts';
import {
  connectKafka,
  readRanges,
  withAdmin,
  type KafkaAccess,
  type OffsetRange,
} from '@board/kafka';
import type { ExpectedRecords } from './expect-records.ts';
import type { Fact } from './fact.ts';

export interface Scan {
  readonly kafka: KafkaAccess;
  readonly topic: string;
  /** Whose reading this is like: the group that lives for the scan is named after it. */
  readonly group: string;
  readonly aggregateId: string;
  /** Records that the brokers appended before are not looked at. */
  readonly fromMs: number;
  /** The scan ends once all of these were met; undefined: it goes on to the end of the topic. */
  readonly expected: ExpectedRecords | undefined;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The board's records and where they are, from all partitions: the key is the author's, and
 * partitions may have been added.
 */
export async function findRecords(
  scan: Scan,
): Promise<{ readonly facts: readonly Fact[]; readonly isTopicReadToEnd: boolean }> {
  const { kafka, topic, group, aggregateId, expected, say, signal } = scan;
  const ranges = await listRanges(scan);
  const total = ranges.reduce((sum, { from, end }) => sum + Number(end - from), 0);
  const facts: Fact[] = [];
  let isTopicReadToEnd = true;
  let read = 0;
  await readRanges(
    connectKafka(kafka, 'trace'),
    `${group}.trace.${randomUUID()}`,
    ranges,
    ({ partition }, { offset, timestamp, headers }) => {
      read += 1;
      if (read % 1_000 === 0) say(`${read} of ${total} records of ${topic} read`);
      const text = (name: string): string | undefined => headers[name]?.toString();
      if (text(headerNames.aggregateId) !== aggregateId) return 'more';
      const version = Number(text(headerNames.version));
      const eventId = text(headerNames.eventId) ?? '';
      // Without a version or an event id: such a record is a dead letter under its own position.
      if (!(version >= 1) || eventId === '') return 'more';
      const event = {
        version,
        eventId,
        eventType: text(headerNames.eventType),
        traceparent: text(headerNames.traceparent),
      };
      facts.push({
        ...event,
        atMs: Number(timestamp),
        step: { kind: 'in topic', topic, partition, offset },
      });
      const changedAtMicros = Number(text(headerNames.occurredAt));
      if (changedAtMicros > 0)
        facts.push({ ...event, atMs: changedAtMicros / 1_000, step: { kind: 'changed' } });
      if (expected === undefined || expected.meet(event) === 'more') return 'more';
      isTopicReadToEnd = false;
      return 'enough';
    },
    signal,
  );
  return { facts, isTopicReadToEnd };
}

/**
 * From the first record of that time to what is the end now: a topic that grows faster than it is
 * read has an end too.
 */
async function listRanges({ kafka, topic, fromMs }: Scan): Promise<OffsetRange[]> {
  return withAdmin(kafka, async (admin) => {
    const starts = await admin.fetchTopicOffsetsByTimestamp(topic, fromMs);
    const ends = await admin.fetchTopicOffsets(topic);
    return ends.map(({ partition, low, high }) => {
      const start = BigInt(starts.find((one) => one.partition === partition)?.offset ?? low);
      return {
        topic,
        partition,
        from: start < BigInt(low) ? BigInt(low) : start,
        end: BigInt(high),
      };
    });
  });
}

import { randomUUID } from 'node:crypto';
import { headerNames } from '@board/contracts';
import {
  connectKafka,
  readRanges,
  withAdmin,
  type KafkaAccess,
  type OffsetRange,
} from '@board/kafka';
import type { Fact } from './event-facts.ts';

/** What is read of the topic. */
export interface Scan {
  readonly kafka: KafkaAccess;
  readonly topic: string;
  /** The temporary group of the scan is named after this one. */
  readonly group: string;
  readonly aggregateId: string;
  /** Records that the brokers appended earlier are not read, ms since the epoch. */
  readonly fromMs: number;
  /** The scan ends when all of these were met; undefined: at the end of the topic. */
  readonly expected: ExpectedRecords | undefined;
  readonly printProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the aggregate's records in all partitions: the key is the author's, and partitions may have
 * been added.
 */
export async function findRecords(
  scan: Scan,
): Promise<{ readonly facts: readonly Fact[]; readonly isTopicReadToEnd: boolean }> {
  const { kafka, topic, group, aggregateId, expected, printProgress, signal } = scan;
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
      if (read % 1_000 === 0) printProgress(`${read} of ${total} records of ${topic} read`);
      const text = (name: string): string | undefined => headers[name]?.toString();
      if (text(headerNames.aggregateId) !== aggregateId) return 'more';
      const version = Number(text(headerNames.version));
      const eventId = text(headerNames.eventId) ?? '';
      // A record without version or event id is a dead letter under its own position.
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

/** From the first record of that time to the present end, which later records do not move. */
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

/** The records that the topic must have of an aggregate, by logs and databases. */
export interface ExpectedRecords {
  /** Takes each record; returns `enough` when every expected record was met. */
  meet(record: { readonly version: number; readonly eventId: string }): 'enough' | 'more';
}

/**
 * Expects every event that the facts name and, for each version whose own event they do not name,
 * one record of another event: a forged event, known only by its dead letter, is not the genuine
 * one.
 */
export function expectRecords(version: number, facts: readonly Fact[]): ExpectedRecords {
  const named = new Set(facts.flatMap(({ eventId }) => eventId ?? []));
  const ownKnown = new Set(facts.filter(isOwn).map((fact) => fact.version));
  const missing = new Set(named);
  const nameless = new Set(range(version).filter((one) => !ownKnown.has(one)));
  return {
    meet(record) {
      if (named.has(record.eventId)) missing.delete(record.eventId);
      else nameless.delete(record.version);
      return missing.size === 0 && nameless.size === 0 ? 'enough' : 'more';
    },
  };
}

/**
 * Names the version's own event: its service wrote it (`changed`, `committed`) or it was applied.
 */
function isOwn({ eventId, step }: Fact): boolean {
  return eventId !== undefined && ['changed', 'committed', 'applied'].includes(step.kind);
}

function range(to: number): number[] {
  return Array.from({ length: to }, (_, index) => index + 1);
}

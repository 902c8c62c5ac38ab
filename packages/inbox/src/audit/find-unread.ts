import { randomUUID } from 'node:crypto';
import { readRanges } from '@board/kafka-kit';
import type { Kafka } from 'kafkajs';
import { nextOffset, openLagProbe, type PartitionPosition } from '../consume/lag-probe.ts';
import { identify } from '../decide.ts';
import { sourceHeaders } from '../fail/headers.ts';
import type { AuditedTopics } from './audited-topics.ts';
import { placeOf, type EventPlace } from './settle.ts';

/**
 * Which of these events are in the source or retry topics, not yet passed by their groups. Records that a group has passed
 * do not count: they were settled, and what is not there now will not come from them.
 */
export async function findUnread(
  kafka: Kafka,
  topics: AuditedTopics,
  places: ReadonlySet<EventPlace>,
): Promise<ReadonlySet<EventPlace>> {
  const unread = await listUnread(kafka, topics);
  const found = new Set<EventPlace>();
  const ranges = unread.map((position) => ({ ...position, from: nextOffset(position) }));
  await readRanges(kafka, `${topics.group}.audit.${randomUUID()}`, ranges, (_range, record) => {
    const identity = identify(sourceHeaders(record.recordHeaders()));
    if ('problem' in identity) return 'more';
    const place = placeOf(identity.aggregateId, identity.version);
    if (places.has(place)) found.add(place);
    return 'more';
  });
  return found;
}

/** Every topic's positions, in the order in which a failing event travels: one that moves on meanwhile is met further on. */
export async function listUnread(kafka: Kafka, topics: AuditedTopics): Promise<PartitionPosition[]> {
  const positions: PartitionPosition[] = [];
  for (const topic of [topics.source, ...topics.retries]) {
    const group = topic === topics.source ? topics.group : topics.retryGroup;
    const probe = await openLagProbe(kafka, group, [topic]);
    try {
      positions.push(...(await probe.read()));
    } finally {
      await probe.close();
    }
  }
  return positions.filter((position) => nextOffset(position) < position.end);
}

import { type ConsumerDefinition, retryGroupOf } from '@board/contracts';
import { readRanges } from '@board/kafka';
import { createElapsedClock } from '@board/service';
import type { Kafka } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type PartitionPosition,
  findRetryTopics,
  nextOffset,
  openLagReader,
} from '../consume/lag.ts';
import { identify } from '../decide.ts';
import { sourceHeaders } from '../fail/headers.ts';
import { type Barrier, type EventPlace, placeOf } from './audit.ts';

/** Where an event of one consumer can be on its way. */
export interface AuditedTopics {
  readonly group: string;
  readonly retryGroup: string;
  readonly source: string;
  /** In the order in which a failing event goes through them. */
  readonly retries: readonly string[];
}

/** The topics and groups of a consumer, with every retry topic that exists. */
export async function auditedTopics(
  kafka: Kafka,
  consumer: Pick<ConsumerDefinition, 'group' | 'source' | 'retryTiers'>,
): Promise<AuditedTopics> {
  const { group, source } = consumer;
  return {
    group,
    retryGroup: retryGroupOf(consumer),
    source: source.name,
    retries: await findRetryTopics(kafka, consumer),
  };
}

/**
 * Which of these events are in the source or retry topics, not yet passed by their groups. Records
 * that a group has passed do not count: they were processed, and an event that is not there now
 * will not come from them.
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
    const identified = identify(sourceHeaders(record.recordHeaders()));
    if (identified.kind === 'no-identity') return 'more';
    const { aggregateId, version } = identified.identity;
    const place = placeOf(aggregateId, version);
    if (places.has(place)) found.add(place);
    return 'more';
  });
  return found;
}

/**
 * Every topic's positions, in the order in which a failing event travels: one that moves on
 * meanwhile is met further on.
 */
export async function listUnread(
  kafka: Kafka,
  topics: AuditedTopics,
): Promise<PartitionPosition[]> {
  const positions: PartitionPosition[] = [];
  for (const topic of [topics.source, ...topics.retries]) {
    const group = topic === topics.source ? topics.group : topics.retryGroup;
    const lagReader = await openLagReader(kafka, group, [topic]);
    try {
      positions.push(...(await lagReader.read()));
    } finally {
      await lagReader.close();
    }
  }
  return positions.filter((position) => nextOffset(position) < position.end);
}

const pollMs = 200;

/** Waits until source and retry group have committed past what their topics hold now. */
export async function waitForGroups(
  kafka: Kafka,
  topics: AuditedTopics,
  timeoutMs: number,
): Promise<Barrier> {
  const clock = createElapsedClock();
  try {
    const isOver = (): boolean => clock.now() >= timeoutMs;
    const source = await waitForGroup(kafka, topics.group, [topics.source], isOver);
    if (source.kind !== 'passed') return source;
    // The retry topics' ends only now: what the source group has failed by now is in them.
    return await waitForGroup(kafka, topics.retryGroup, topics.retries, isOver);
  } finally {
    clock.stop();
  }
}

async function waitForGroup(
  kafka: Kafka,
  group: string,
  topics: readonly string[],
  isOver: () => boolean,
): Promise<Barrier> {
  const lagReader = await openLagReader(kafka, group, topics);
  try {
    const ends = new Map(
      (await lagReader.read()).map((position) => [nameOf(position), position.end]),
    );
    for (;;) {
      const behind = (await lagReader.read()).filter(
        (one) => nextOffset(one) < (ends.get(nameOf(one)) ?? 0n),
      );
      const [first] = behind;
      if (first === undefined) return { kind: 'passed' };
      if (isOver()) {
        const records = (ends.get(nameOf(first)) ?? 0n) - nextOffset(first);
        const isNew = behind.every(({ committed }) => committed === undefined);
        const why = isNew ? ' and has never committed: does its service run?' : '';
        return {
          kind: 'cannot-tell',
          reason: `the group ${group} has ${records} records of ${nameOf(first)} still to process${why}`,
        };
      }
      await delay(pollMs);
    }
  } finally {
    await lagReader.close();
  }
}

function nameOf({ topic, partition }: PartitionPosition): string {
  return `${topic}/${partition}`;
}

import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { openLagProbe, type PartitionPosition } from '../consume/lag-probe.ts';
import { identify } from '../decide/identity.ts';
import { retryGroupOf, type AuditedTopics } from './audited-topics.ts';
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
  await readRanges(kafka, `${topics.group}.audit.${randomUUID()}`, unread, (headers) => {
    const identity = identify(headers);
    if ('problem' in identity) return;
    const place = placeOf(identity.aggregateId, identity.version);
    if (places.has(place)) found.add(place);
  });
  return found;
}

/** Every topic's positions, in the order in which a failing event travels: one that moves on meanwhile is met further on. */
async function listUnread(kafka: Kafka, topics: AuditedTopics): Promise<PartitionPosition[]> {
  const positions: PartitionPosition[] = [];
  for (const topic of [topics.source, ...topics.retries]) {
    const group = topic === topics.source ? topics.group : retryGroupOf(topics);
    const probe = await openLagProbe(kafka, group, [topic]);
    try {
      positions.push(...(await probe.read()));
    } finally {
      await probe.close();
    }
  }
  return positions.filter(({ committed, end }) => committed < end);
}

type Headers = Parameters<typeof identify>[0];

const maxSilenceMs = 30_000;

/** Reads `committed` up to `end` of each partition, in a group that lives for this call: kafkajs reads in no other way. */
async function readRanges(
  kafka: Kafka,
  groupId: string,
  ranges: readonly PartitionPosition[],
  take: (headers: Headers) => void,
): Promise<void> {
  if (ranges.length === 0) return;
  const missing = new Map(ranges.map((range) => [`${range.topic}/${range.partition}`, range]));
  const done = Promise.withResolvers<void>();
  const silence = setTimeout(() => {
    done.reject(
      new Error(`${[...missing.keys()].join(', ')} was not read within ${maxSilenceMs} ms; do the brokers answer?`),
    );
  }, maxSilenceMs);
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, maxBytesPerPartition: 262_144 });
  try {
    await admin.connect();
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set(ranges.map(({ topic }) => topic))], fromBeginning: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch, pause }) => {
        const { topic, partition, messages } = batch;
        const name = `${topic}/${partition}`;
        const range = missing.get(name);
        if (range === undefined) pause();
        else {
          silence.refresh();
          for (const { offset, headers } of messages)
            if (BigInt(offset) >= range.committed && BigInt(offset) < range.end) take(headers ?? {});
          if (BigInt(batch.lastOffset()) + 1n >= range.end) missing.delete(name);
        }
        if (missing.size === 0) done.resolve();
        return Promise.resolve();
      },
    });
    for (const { topic, partition, committed } of ranges)
      consumer.seek({ topic, partition, offset: String(committed) });
    await done.promise;
  } finally {
    clearTimeout(silence);
    await close(consumer, admin, groupId);
  }
}

async function close(consumer: Consumer, admin: Admin, groupId: string): Promise<void> {
  await consumer.disconnect();
  // A group that did not get as far as joining is not there; any other leftover would only be clutter.
  await admin.deleteGroups([groupId]).catch(() => undefined);
  await admin.disconnect();
}

import { processReadings } from '../../src/consume/process-source.ts';
import { identify } from '../../src/decide.ts';
import type { Inbox } from '../../src/inbox.ts';
import type { Delivery, SourceRecord } from '../../src/record.ts';
import type { Random } from './random.ts';
import type { ThingRecord } from './thing-codec.ts';
import { toHeaders } from './to-headers.ts';

/** A record as a consumer would get it. */
export function toSourceRecord(record: ThingRecord, topic: string, offset: number): SourceRecord {
  return {
    origin: { topic, partition: 0, offset: String(offset), timestampMs: 0 },
    key: Buffer.from(record.key),
    value: record.value as Buffer | null,
    headers: toHeaders(record.headers),
  };
}

/** Processes deliveries as an owner of the partition does, cut into random batches. */
export async function processInRandomBatches(
  inbox: Inbox,
  deliveries: readonly Delivery[],
  longest: number,
  random: Random,
): Promise<void> {
  for (let from = 0; from < deliveries.length;) {
    const size = 1 + random.below(longest);
    const batch = deliveries.slice(from, from + size);
    await processReadings(
      inbox,
      batch.map((delivery) => ({ kind: 'delivery', delivery })),
    );
    from += size;
  }
}

export function toDelivery(record: SourceRecord, takenFrom: 'source' | 'retry'): Delivery {
  const identified = identify(record.headers);
  if (identified.kind === 'no-identity') throw new Error(identified.problem);
  return {
    kind: 'event',
    record,
    identity: identified.identity,
    takenFrom,
    attempt: takenFrom === 'source' ? 1 : 2,
    firstFailedAtMs: takenFrom === 'source' ? undefined : 0,
    replayed: false,
  };
}

export function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  const shuffled: Item[] = [];
  while (left.length > 0) shuffled.push(...left.splice(random.below(left.length), 1));
  return shuffled;
}

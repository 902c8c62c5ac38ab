import type { Delivery } from '../../src/record.ts';
import { settleDeliveries } from '../../src/consume/process-source.ts';
import { identify } from '../../src/decide.ts';
import type { Inbox } from '../../src/inbox.ts';
import type { SourceRecord } from '../../src/record.ts';
import { toHeaders } from './to-headers.ts';
import type { ThingChanged, ThingRecord } from './thing-codec.ts';
import type { Random } from '../../src/testing/model/random.ts';

/** A record as a consumer would get it; `settleSource` and the retry consumer begin there. */
export function toSourceRecord(record: ThingRecord, topic: string, offset: number): SourceRecord {
  return {
    origin: { topic, partition: 0, offset: String(offset), timestampMs: 0 },
    key: Buffer.from(record.key),
    value: record.value as Buffer | null,
    headers: toHeaders(record.headers),
  };
}

/** Settles deliveries as an owner of the partition does, cut into random batches. */
export async function settleInRandomBatches(
  inbox: Inbox<ThingChanged>,
  deliveries: readonly Delivery[],
  longest: number,
  random: Random,
): Promise<void> {
  for (let from = 0; from < deliveries.length;) {
    const size = 1 + random.below(longest);
    await settleDeliveries(inbox, deliveries.slice(from, from + size));
    from += size;
  }
}

export function toDelivery(record: SourceRecord, takenFrom: 'source' | 'retry'): Delivery {
  const identity = identify(record.headers);
  if ('problem' in identity) throw new Error(identity.problem);
  return {
    kind: 'event',
    record,
    identity,
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

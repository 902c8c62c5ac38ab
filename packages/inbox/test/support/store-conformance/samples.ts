import type { DeadLetterReason, Delivery, Identity } from '../../../src/record.ts';
import type { InboxStore, StoredDeadLetter } from '../../../src/store/store.ts';
import { toHeaders } from '../to-headers.ts';

/** Two stores of one consumer that has nothing yet, as two of its processes have them. */
interface StorePair {
  readonly one: InboxStore;
  readonly other: InboxStore;
  /** What handlers have written and committed, in order. */
  effects(): Promise<readonly unknown[]>;
  /** As an operator does; the store itself never dismisses. */
  dismiss(deadLetter: string): Promise<void>;
}

/** Gives each test a consumer of its own. */
export type OpenStores = () => Promise<StorePair>;

export const identity = (
  aggregateId: string,
  version: number,
  eventId = `${aggregateId}${version}`,
): Identity => ({
  aggregateId,
  version,
  eventId,
});

export const delivery = (
  aggregateId: string,
  version: number,
  eventId = `${aggregateId}${version}`,
): Delivery => ({
  kind: 'event',
  identity: identity(aggregateId, version, eventId),
  takenFrom: 'source',
  attempt: 2,
  firstFailedAtMs: 5,
  replayed: true,
  record: {
    origin: { topic: 'things', partition: 1, offset: '9007199254740993', timestampMs: 7 },
    key: Buffer.from('key'),
    value: Buffer.from([0, 1, 255]),
    headers: toHeaders({ id: eventId, note: null }),
  },
});

export const deadLetter = (
  one: Delivery,
  reason: DeadLetterReason,
  named = true,
): StoredDeadLetter => ({
  identity: named ? one.identity : undefined,
  dlqOffset: 3n,
  failure: {
    record: one.record,
    reason,
    error: new Error('no'),
    attempts: 4,
    firstFailedAtMs: 5,
    bare: undefined,
  },
});

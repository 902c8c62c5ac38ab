// Flow 5/9: record becomes a message
import { drain } from '../apply/drain.ts';
import { processBatch } from '../apply/process-batch.ts';
import { identify, probeAggregateId } from '../decide/identity.ts';
import type { Delivery } from '../delivery.ts';
import { InvalidEventError, UnfinishedDeploymentError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import { describeError } from '../route/describe-error.ts';
import { publishLetters } from '../route/publish-letters.ts';

/** A record that has no place in the order of an aggregate, and why. */
export interface Nameless {
  readonly record: SourceRecord;
  readonly problem: string;
}

/** Settles consecutive records of the source topic; throws when their offsets must not be committed yet. */
export async function settleSource<E extends DecodedEvent>(
  inbox: Inbox<E>,
  records: readonly SourceRecord[],
  reservedId: string | null = probeAggregateId,
): Promise<void> {
  const deliveries = new Map<Delivery, SourceRecord>();
  const nameless: Nameless[] = [];
  for (const record of records) {
    const delivery = toDelivery(record, reservedId);
    if ('problem' in delivery) nameless.push(delivery);
    else deliveries.set(delivery, record);
  }
  await settleTogether(inbox, records, deliveries, nameless);
}

/**
 * Deliveries first: while they wait, and are read again and again, what has no identity would be dead-lettered each time.
 * Of a batch that waits for one event, everything before that event is settled. `deliveries`: each with the record it came in.
 */
export async function settleTogether<E extends DecodedEvent>(
  inbox: Inbox<E>,
  records: readonly SourceRecord[],
  deliveries: ReadonlyMap<Delivery, SourceRecord>,
  nameless: readonly Nameless[],
): Promise<void> {
  try {
    await settleDeliveries(inbox, [...deliveries.keys()]);
  } catch (error) {
    if (error instanceof UnfinishedDeploymentError) {
      const waiting = deliveries.get(error.delivery);
      const place = waiting === undefined ? 0 : records.indexOf(waiting);
      const before = new Set(records.slice(0, place));
      await deadLetterNameless(
        inbox,
        nameless.filter(({ record }) => before.has(record)),
      );
      error.settled = place;
    }
    throw error;
  }
  await deadLetterNameless(inbox, nameless);
}

/** The first delivery of a record of the source topic. */
export function toDelivery(record: SourceRecord, reservedId: string | null): Delivery | Nameless {
  const identity = identify(record.headers, reservedId);
  if ('problem' in identity) return { record, problem: identity.problem };
  return {
    kind: 'event',
    record,
    identity,
    takenFrom: 'source',
    attempt: 1,
    firstFailedAtMs: undefined,
    replayed: false,
  };
}

/** Settles deliveries and drains what they set free. */
export async function settleDeliveries<E extends DecodedEvent>(
  inbox: Inbox<E>,
  deliveries: readonly Delivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  const drainable = await processBatch(inbox, deliveries);
  try {
    // Not for long: the offset waits for this to be committed.
    const untilMs = inbox.elapsedMs() + inbox.settings.maxWaitMs;
    await drain(inbox, drainable, () => inbox.elapsedMs() >= untilMs);
  } catch (error) {
    // Parked rows are safe where they are; the sweep drains them once the database is back.
    inbox.logger.warn({ event: 'inbox.drain-later', error: describeError(error).message });
  }
}

/** It never blocks an aggregate; its origin is its only name. All of a slice at once: they may come by the hundred thousand. */
async function deadLetterNameless<E extends DecodedEvent>(
  inbox: Inbox<E>,
  nameless: readonly Nameless[],
): Promise<void> {
  await publishLetters(
    inbox,
    nameless.map(({ record, problem }) => ({
      identity: undefined,
      failure: {
        record,
        reason: 'no-identity',
        error: new InvalidEventError(problem),
        attempts: 1,
        firstFailedAtMs: undefined,
        bare: undefined,
      },
    })),
  );
}

// Flow 5/9: record becomes a message
import { drain } from '../apply/drain.ts';
import { processDeliveries } from '../apply/apply-batch.ts';
import { identify, selfTestAggregateId } from '../decide.ts';
import { describeError, InvalidEventError, UnfinishedDeploymentError } from '../errors.ts';
import { publishDeadLetters } from '../fail/dead-letters.ts';
import type { Inbox } from '../inbox.ts';
import type { Delivery, SourceRecord } from '../record.ts';
import type { Process, ProcessResult } from './process.ts';

/**
 * What a record carries. Without an identity it has no place in the order of an aggregate: only its
 * origin names it.
 */
export type Reading =
  | { readonly kind: 'delivery'; readonly delivery: Delivery }
  | { readonly kind: 'no-identity'; readonly record: SourceRecord; readonly problem: string };

/**
 * The first delivery of a record of the source topic. `reservedId`: no event of this aggregate is
 * taken.
 */
export function readSource(
  record: SourceRecord,
  reservedId: string | null = selfTestAggregateId,
): Reading {
  const identified = identify(record.headers, reservedId);
  if (identified.kind === 'no-identity') return { ...identified, record };
  const delivery: Delivery = {
    kind: 'event',
    record,
    identity: identified.identity,
    takenFrom: 'source',
    attempt: 1,
    firstFailedAtMs: undefined,
    replayed: false,
  };
  return { kind: 'delivery', delivery };
}

/**
 * Processes consecutive records of the source topic; throws when their offsets must not be
 * committed yet.
 */
export function processSource(inbox: Inbox): Process {
  return (slice) =>
    slice.kind === 'undecodable'
      ? Promise.reject(slice.error)
      : processReadings(
          inbox,
          slice.records.map((record) => readSource(record)),
        );
}

/**
 * Deliveries first: while they wait, and are read again and again, what has no identity would be
 * dead-lettered each time. Of records that wait for one event, all that precede it are processed.
 * `waitMs`: for how long what follows them is left alone.
 */
export async function processReadings(
  inbox: Inbox,
  readings: readonly Reading[],
  waitMs?: number,
): Promise<ProcessResult> {
  const deliveries = readings.flatMap((one) => (one.kind === 'delivery' ? [one.delivery] : []));
  let drainable: readonly string[];
  try {
    drainable = await processDeliveries(inbox, deliveries);
  } catch (error) {
    if (error instanceof UnfinishedDeploymentError) {
      const place = readings.findIndex(
        (one) => one.kind === 'delivery' && one.delivery === error.delivery,
      );
      error.processed = Math.max(0, place);
      await deadLetterWithoutIdentity(inbox, readings.slice(0, error.processed));
    }
    throw error;
  }
  await drainForNow(inbox, drainable);
  await deadLetterWithoutIdentity(inbox, readings);
  const processed = readings.length;
  return waitMs === undefined ? { kind: 'done', processed } : { kind: 'wait', processed, waitMs };
}

/**
 * Drains the aggregates whose marks have moved, for a while: the offsets wait for it. The sweep
 * finds what is left.
 */
async function drainForNow(inbox: Inbox, aggregateIds: readonly string[]): Promise<void> {
  try {
    const { clock, settings } = inbox;
    const untilMs = clock.elapsedMs() + settings.maxWaitMs;
    await drain(inbox, aggregateIds, () => clock.elapsedMs() >= untilMs);
  } catch (error) {
    // Parked rows are safe where they are.
    inbox.logger.warn({ event: 'inbox.drain-later', error: describeError(error).message });
  }
}

/** It never blocks an aggregate. All of a slice at once: they may come by the hundred thousand. */
function deadLetterWithoutIdentity(inbox: Inbox, readings: readonly Reading[]): Promise<void> {
  return publishDeadLetters(
    inbox,
    readings.flatMap((one) =>
      one.kind === 'delivery'
        ? []
        : [
            {
              identity: undefined,
              failure: {
                record: one.record,
                reason: 'no-identity',
                error: new InvalidEventError(one.problem),
                attempts: 1,
                firstFailedAtMs: undefined,
                bare: undefined,
              },
            },
          ],
    ),
  );
}

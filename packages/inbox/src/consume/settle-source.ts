// Flow 5/9: record becomes a message
import { drain } from '../apply/drain.ts';
import { processBatch } from '../apply/process-batch.ts';
import { identify } from '../decide/identity.ts';
import type { Delivery } from '../delivery.ts';
import { InvalidEventError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import { describeError } from '../route/describe-error.ts';
import { publishLetters } from '../route/publish-letters.ts';

/** Settles consecutive records of the source topic; throws InfrastructureError when their offsets must not be committed yet. */
export async function settleSource<E extends DecodedEvent>(
  inbox: Inbox<E>,
  records: readonly SourceRecord[],
): Promise<void> {
  const deliveries: Delivery[] = [];
  const bare: { readonly record: SourceRecord; readonly problem: string }[] = [];
  for (const record of records) {
    const identity = identify(record.headers);
    if ('problem' in identity) bare.push({ record, problem: identity.problem });
    else
      deliveries.push({
        kind: 'event',
        record,
        identity,
        takenFrom: 'source',
        attempt: 1,
        firstFailedAtMs: undefined,
        replayed: false,
      });
  }
  await settleDeliveries(inbox, deliveries);
  // Last: while the others wait for a server, each new try would publish these once more.
  for (const { record, problem } of bare) await deadLetterWithoutIdentity(inbox, record, problem);
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
    const untilMs = inbox.now() + inbox.settings.maxWaitMs;
    await drain(inbox, drainable, () => inbox.now() >= untilMs);
  } catch (error) {
    // Parked rows are safe where they are; the sweep drains them once the database is back.
    inbox.logger.warn({ event: 'inbox.drain-later', error: describeError(error).message });
  }
}

/** Nobody can tell whose turn it is, so it never blocks an aggregate; its origin is its only name. */
export async function deadLetterWithoutIdentity<E extends DecodedEvent>(
  inbox: Inbox<E>,
  record: SourceRecord,
  problem: string,
): Promise<void> {
  const error = new InvalidEventError(problem);
  await publishLetters(inbox, [
    { identity: undefined, failure: { record, reason: 'no-identity', error, attempts: 1, firstFailedAtMs: undefined } },
  ]);
}

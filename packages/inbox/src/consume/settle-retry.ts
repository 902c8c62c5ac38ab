import type { Delivery } from '../delivery.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import { fromRetry } from '../route/from-retry.ts';
import type { Verdict } from './partition-loop.ts';
import { deadLetterWithoutIdentity, settleDeliveries } from './settle-source.ts';

/** Settles the records of a retry partition that are due, up to the first that is not; throws InfrastructureError. */
export async function settleRetry<E extends DecodedEvent>(
  inbox: Inbox<E>,
  records: readonly SourceRecord[],
): Promise<Verdict> {
  const due: Delivery[] = [];
  const bare: { readonly record: SourceRecord; readonly problem: string }[] = [];
  let settled = 0;
  let waitMs: number | undefined;
  for (const record of records) {
    const retry = fromRetry(record);
    if ('problem' in retry) bare.push({ record, problem: retry.problem });
    else {
      // A forged time cannot make a partition wait longer than the longest delay after the record's arrival.
      const dueAtMs = Math.min(retry.dueAtMs, record.origin.timestampMs + longestDelayMs(inbox));
      const earlyMs = dueAtMs - inbox.now();
      if (earlyMs > 0) {
        waitMs = earlyMs;
        break;
      }
      due.push(retry.delivery);
    }
    settled += 1;
  }
  await settleDeliveries(inbox, due);
  // Last, as in the source topic: what waits must not publish these again with each try.
  for (const { record, problem } of bare) await deadLetterWithoutIdentity(inbox, record, problem);
  return waitMs === undefined ? { settled } : { settled, waitMs };
}

function longestDelayMs<E extends DecodedEvent>({ settings }: Inbox<E>): number {
  return (
    settings.retryBaseMs * settings.retryFactor ** Math.max(0, settings.maxAttempts - 2) * (1 + settings.retryJitter)
  );
}

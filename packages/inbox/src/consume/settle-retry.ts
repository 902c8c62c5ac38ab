import type { Delivery } from '../delivery.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import { fromRetry } from '../route/from-retry.ts';
import { dueInMs, longestDelayMs } from './due-in-ms.ts';
import type { FirstSeen } from './first-seen.ts';
import type { Verdict } from './partition-loop.ts';
import { settleTogether, type Nameless } from './settle-source.ts';

/** Settles the records of a retry partition that are due, up to the first that is not; throws when they must be read again. */
export async function settleRetry<E extends DecodedEvent>(
  inbox: Inbox<E>,
  records: readonly SourceRecord[],
  seen: FirstSeen,
): Promise<Verdict> {
  seen.note(records);
  const due = new Map<Delivery, SourceRecord>();
  const nameless: Nameless[] = [];
  let waitMs: number | undefined;
  for (const record of records) {
    const retry = fromRetry(record);
    if ('problem' in retry) nameless.push({ record, problem: retry.problem });
    else {
      const leftMs = dueInMs({
        dueAtMs: retry.dueAtMs,
        appendedAtMs: record.origin.timestampMs,
        nowMs: inbox.now(),
        seenForMs: seen.seenForMs(record),
        longestMs: longestDelayMs(inbox.settings, retry.delivery.attempt - 1),
      });
      if (leftMs > 0) {
        waitMs = leftMs;
        break;
      }
      due.set(retry.delivery, record);
    }
  }
  const settled = due.size + nameless.length;
  await settleTogether(inbox, records, due, nameless);
  return waitMs === undefined ? { settled } : { settled, waitMs };
}

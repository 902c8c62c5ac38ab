import { readRetry } from '../fail/record-formats.ts';
import type { Inbox } from '../inbox.ts';
import type { SourceRecord } from '../record.ts';
import type { InboxSettings } from '../settings.ts';
import { processReadings, type Reading } from './process-source.ts';
import type { Process } from './process.ts';

/**
 * Processes the records of a retry partition that are due, up to the first that is not; throws when
 * they must be read again.
 */
export function processRetry(inbox: Inbox): Process {
  const seen = trackFirstSeen(inbox.clock.elapsedMs);
  return (slice) => {
    if (slice.kind === 'undecodable') return Promise.reject(slice.error);
    seen.note(slice.records);
    const { due, waitMs } = takeDue(inbox, slice.records, seen);
    return processReadings(inbox, due, waitMs);
  };
}

/** The records up to the first that is not due yet, and for how long that one has to wait. */
function takeDue(
  { clock, settings, maxAttempts }: Inbox,
  records: readonly SourceRecord[],
  seen: FirstSeen,
): { readonly due: readonly Reading[]; readonly waitMs?: number } {
  const due: Reading[] = [];
  for (const record of records) {
    const retry = readRetry(record);
    if (retry.kind === 'no-identity') {
      due.push({ kind: 'no-identity', record, problem: retry.problem });
      continue;
    }
    const leftMs = dueInMs({
      dueAtMs: retry.dueAtMs,
      appendedAtMs: record.origin.timestampMs,
      nowMs: clock.now(),
      seenForMs: seen.seenForMs(record),
      longestMs: longestDelayMs(settings, retry.delivery.attempt - 1, maxAttempts),
    });
    if (leftMs > 0) return { due, waitMs: leftMs };
    due.push({ kind: 'delivery', delivery: retry.delivery });
  }
  return { due };
}

export interface DueTimes {
  /** What the record's header says, by the clock of the instance that published it. */
  readonly dueAtMs: number;
  /** When the broker appended it, by the broker's clock. */
  readonly appendedAtMs: number;
  /** By the clock of this process. */
  readonly nowMs: number;
  /** For how long this process has had the record in its hands, whatever any clock says. */
  readonly seenForMs: number;
  /** The longest delay that the record's tier gives. */
  readonly longestMs: number;
}

/**
 * For how much longer a retry record must wait; not positive when it is due. Three clocks and a
 * forged header may disagree: none of them can make a record wait longer than its tier's longest
 * delay after this process first saw it.
 */
export function dueInMs({ dueAtMs, appendedAtMs, nowMs, seenForMs, longestMs }: DueTimes): number {
  const byClocks = Math.min(dueAtMs, appendedAtMs + longestMs) - nowMs;
  return Math.min(byClocks, longestMs - seenForMs);
}

/**
 * The longest delay before a record's attempt after `attempts`, jitter included; a number that no
 * tier has is taken for the nearest.
 */
export function longestDelayMs(
  { retryBaseMs, retryFactor, retryJitter }: InboxSettings,
  attempts: number,
  maxAttempts: number,
): number {
  const tier = Math.min(Math.max(attempts, 1), Math.max(1, maxAttempts - 1));
  return retryBaseMs * retryFactor ** (tier - 1) * (1 + retryJitter);
}

export interface FirstSeen {
  /**
   * Notes consecutive records of one partition as seen by now, those that were seen before as they
   * were.
   */
  note(records: readonly SourceRecord[]): void;
  /** For how long a noted record has been in hand. */
  seenForMs(record: SourceRecord): number;
}

/**
 * Remembers when each record in hand was first in hand; forgets what comes before the records that
 * are noted.
 */
export function trackFirstSeen(elapsedMs: () => number): FirstSeen {
  const partitions = new Map<string, Map<string, number>>();
  const nameOf = ({ origin }: SourceRecord): string => `${origin.topic}/${origin.partition}`;

  return {
    note(records) {
      const [first] = records;
      if (first === undefined) return;
      const before = partitions.get(nameOf(first));
      const nowMs = elapsedMs();
      partitions.set(
        nameOf(first),
        new Map(records.map(({ origin: { offset } }) => [offset, before?.get(offset) ?? nowMs])),
      );
    },
    seenForMs: (record) => {
      const sinceMs = partitions.get(nameOf(record))?.get(record.origin.offset);
      return sinceMs === undefined ? 0 : elapsedMs() - sinceMs;
    },
  };
}

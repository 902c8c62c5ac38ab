import type { InboxSettings } from '../settings.ts';

export interface DueTimes {
  /** What the record's header says, by the clock of the instance that published it. */
  readonly dueAtMs: number;
  /** When the broker appended it, by the broker's clock. */
  readonly appendedAtMs: number;
  /** By our clock. */
  readonly nowMs: number;
  /** For how long this process has had the record in its hands, whatever any clock says. */
  readonly seenForMs: number;
  /** The longest delay that the record's tier gives. */
  readonly longestMs: number;
}

/**
 * For how much longer a retry record must wait; not positive when it is due. Three clocks and a forged header may disagree: none
 * of them can make a record wait longer than its tier's longest delay after this process first saw it.
 */
export function dueInMs({ dueAtMs, appendedAtMs, nowMs, seenForMs, longestMs }: DueTimes): number {
  const byClocks = Math.min(dueAtMs, appendedAtMs + longestMs) - nowMs;
  return Math.min(byClocks, longestMs - seenForMs);
}

/** The longest delay before a record's attempt after `attempts`, jitter included; a number that no tier has is taken for the nearest. */
export function longestDelayMs(
  { retryBaseMs, retryFactor, retryJitter, maxAttempts }: InboxSettings,
  attempts: number,
): number {
  const tier = Math.min(Math.max(attempts, 1), Math.max(1, maxAttempts - 1));
  return retryBaseMs * retryFactor ** (tier - 1) * (1 + retryJitter);
}

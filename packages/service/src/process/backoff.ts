import { setTimeout as wait } from 'node:timers/promises';

/**
 * Waits that grow from one failure to the next: `firstMs`, then `factor` times as long each, up to
 * `maxMs`.
 */
export interface BackoffPolicy {
  readonly firstMs: number;
  /** None by default. */
  readonly maxMs?: number;
  /** 2 by default. */
  readonly factor?: number;
  /**
   * The share by which a wait varies, so that what failed together does not return together: 0.2 is
   * +-20 %. 0 by default.
   */
  readonly jitter?: number;
}

/**
 * The wait in ms after the failure of this number in a row, which counts from 1. `random` gives 0
 * to 1.
 */
export function backoffMs(
  policy: BackoffPolicy,
  failures: number,
  random: () => number = Math.random,
): number {
  const { firstMs, maxMs = Infinity, factor = 2, jitter = 0 } = policy;
  const ms = Math.min(maxMs, firstMs * factor ** (failures - 1));
  return Math.round(ms * (1 + jitter * (2 * random() - 1)));
}

/** Counts the failures of one thing. */
export interface Backoff {
  /** One more failure; returns the wait in ms. */
  next(): number;
  failures(): number;
}

export function createBackoff(policy: BackoffPolicy, random: () => number = Math.random): Backoff {
  let failures = 0;
  return {
    next: () => backoffMs(policy, (failures += 1), random),
    failures: () => failures,
  };
}

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Says every failed try, with its wait. */
  readonly onRetry: (error: unknown, delayMs: number) => void;
  /** A fault that waiting cannot repair ends the retries. */
  readonly isFatal?: (error: unknown) => boolean;
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
}

/**
 * Tries until it succeeds, with doubling, jittered waits; an abort of `signal` ends it with the
 * signal's reason.
 */
export async function retryUntilReady<Result>(
  attempt: () => Promise<Result>,
  options: RetryOptions,
): Promise<Result> {
  const { signal, onRetry, isFatal, firstDelayMs = 200, maxDelayMs = 5_000 } = options;
  const backoff = createBackoff({ firstMs: firstDelayMs, maxMs: maxDelayMs, jitter: 0.2 });
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (isFatal?.(error)) throw error;
      const delayMs = backoff.next();
      onRetry(error, delayMs);
      await wait(delayMs, undefined, { signal });
    }
  }
}

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
   * The share by which a wait varies, so that clients that failed together do not return together:
   * 0.2 is +-20 %. 0 by default.
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

/** Counts from zero failures; `random` gives 0 to 1. */
export function createBackoff(policy: BackoffPolicy, random: () => number = Math.random): Backoff {
  let failures = 0;
  return {
    next: () => backoffMs(policy, (failures += 1), random),
    failures: () => failures,
  };
}

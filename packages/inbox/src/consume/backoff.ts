/** Waits that grow from one failure to the next. */
export interface Backoff {
  /** Milliseconds; doubles up to the cap, varied by +-20 %. */
  next(): number;
  failures(): number;
}

export function createBackoff(maxMs: number, firstMs = 100, random: () => number = Math.random): Backoff {
  let failures = 0;
  return {
    next() {
      const ms = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30));
      failures += 1;
      return Math.round(ms * (0.8 + 0.4 * random()));
    },
    failures: () => failures,
  };
}

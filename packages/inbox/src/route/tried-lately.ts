/** Which aggregates were tried within a window of time, and which of them failed when last tried. */
export interface TriedLately {
  record(aggregateId: string, outcome: 'applied' | 'failed', nowMs: number): void;
  /** Share of the aggregates tried that failed, 0..1; 0 when none was tried. */
  failedShare(nowMs: number): number;
  clear(): void;
}

/** Bounded: the newest aggregates say enough. */
const maxAggregates = 100_000;

export function triedLately(windowMs: number): TriedLately {
  // In order of the last try, because a renewed key is deleted first.
  const tried = new Map<string, { readonly failed: boolean; readonly atMs: number }>();
  let failures = 0;

  function forget(aggregateId: string): void {
    if (tried.get(aggregateId)?.failed === true) failures -= 1;
    tried.delete(aggregateId);
  }

  function forgetOlderThan(sinceMs: number): void {
    for (const [aggregateId, { atMs }] of tried) {
      if (atMs >= sinceMs && tried.size <= maxAggregates) return;
      forget(aggregateId);
    }
  }

  return {
    record(aggregateId, outcome, nowMs) {
      forget(aggregateId);
      tried.set(aggregateId, { failed: outcome === 'failed', atMs: nowMs });
      if (outcome === 'failed') failures += 1;
      forgetOlderThan(nowMs - windowMs);
    },
    failedShare(nowMs) {
      forgetOlderThan(nowMs - windowMs);
      return tried.size === 0 ? 0 : failures / tried.size;
    },
    clear() {
      tried.clear();
      failures = 0;
    },
  };
}

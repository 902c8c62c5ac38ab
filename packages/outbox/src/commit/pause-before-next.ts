import type { CommitLimits } from './commit-limits.ts';

export interface RunningBatches {
  readonly transactions: number;
  /** In all of them together. */
  readonly commands: number;
  /** Since the oldest of them began. */
  readonly sinceMs: number;
}

/**
 * Milliseconds that waiting commands let others join them before their transaction begins; Infinity: until one ends.
 *
 * Two small transactions at once cost two COMMITs where one would do, so the next one begins when as many wait as run;
 * or after `patienceMs`, because a transaction that is slow must not hold up everybody behind it.
 */
export function pauseBeforeNext(
  { transactions, commands, sinceMs }: RunningBatches,
  waiting: number,
  { transactions: most, batchRows, patienceMs }: Pick<CommitLimits, 'transactions' | 'batchRows' | 'patienceMs'>,
): number {
  if (transactions === 0) return 0;
  if (transactions >= most) return Number.POSITIVE_INFINITY;
  if (waiting >= commands || waiting >= batchRows) return 0;
  return Math.max(0, patienceMs - sinceMs);
}

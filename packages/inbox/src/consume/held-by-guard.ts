import type { FloodGuard } from '../route/flood-guard.ts';
import type { SourceRecord } from '../record.ts';
import type { Verdict } from './partition-loop.ts';

const askAgainMs = 1_000;

/** While the flood guard is open the partition waits, but for the one record that is its turn to be tried. */
export function heldByGuard(
  guard: FloodGuard,
  settle: (records: readonly SourceRecord[]) => Promise<Verdict>,
): (records: readonly SourceRecord[]) => Promise<Verdict> {
  return async (records) => {
    if (!guard.isOpen()) return settle(records);
    return (await guard.probe(() => settle(records.slice(0, 1)))) ?? { settled: 0, waitMs: askAgainMs };
  };
}

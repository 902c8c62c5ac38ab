import { findSuspects, isEqual, type Suspect } from './compare.ts';
import { openTally, type AuditReport } from './report.ts';
import { settleSuspects, type Settlement } from './settle.ts';
import type { IdRange } from './sides.ts';

export type Barrier = 'passed' | { readonly cannotTell: string };

export interface AuditOptions extends Settlement {
  /** Waits until both groups have passed every event that was committed before the call. */
  barrier(): Promise<Barrier>;
  /** Aggregates per hash; what is in memory at a time grows with it. */
  readonly chunkSize?: number;
  /** How many findings of each verdict are listed. */
  readonly listed?: number;
  /** Told after each chunk: aggregates compared, and those that need a second look so far. */
  readonly onProgress?: (compared: number, suspects: number) => void;
}

/**
 * Compares every aggregate of the source with what the consumer has, while both go on changing.
 *
 * Ranges of ids are compared by one hash each; where it differs, entry by entry. What differs is judged only after the barrier:
 * by then the consumer has had its chance to apply all that was committed when the difference was seen.
 */
export async function auditConsumer(options: AuditOptions): Promise<AuditReport> {
  const { source, consumer, barrier, chunkSize = 5_000, listed = 20, onProgress } = options;
  const tally = openTally(listed);
  let cannotTell: string | undefined;
  let suspects: Suspect[] = [];
  let compared = 0;
  let suspected = 0;

  async function settle(): Promise<void> {
    if (cannotTell === undefined) {
      const result = await barrier();
      // Asked once: what did not settle in time would cost the whole wait again for every round.
      if (result !== 'passed') cannotTell = result.cannotTell;
    }
    await settleSuspects(options, suspects, cannotTell === undefined, tally);
    suspects = [];
  }

  for (let after = ''; ;) {
    const upTo = lowest(await source.boundary(after, chunkSize), await consumer.boundary(after, chunkSize));
    const found = await compareRange({ source, consumer }, { after, upTo });
    compared += found.count;
    suspected += found.suspects.length;
    tally.compared(found.count);
    suspects.push(...found.suspects);
    onProgress?.(compared, suspected);
    // Bounded: however much differs, memory holds the suspects of a few chunks.
    if (suspects.length >= chunkSize && upTo !== undefined) await settle();
    if (upTo === undefined) break;
    after = upTo;
  }
  // Also when nothing differs: a relay that stands still is not "clean".
  await settle();
  return tally.report(cannotTell);
}

async function compareRange(
  { source, consumer }: Pick<AuditOptions, 'source' | 'consumer'>,
  range: IdRange,
): Promise<{ count: number; suspects: Suspect[] }> {
  const digest = await source.digest(range);
  if (isEqual(digest, await consumer.digest(range))) return { count: digest.count, suspects: [] };
  const entries = await source.list(range);
  return { count: entries.length, suspects: findSuspects(entries, await consumer.list(range)) };
}

function lowest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

import { setTimeout as delay } from 'node:timers/promises';
import { listOldRows, noteCutoff, type Cutoff, type Seq } from './list-old-rows.ts';
import { defaultPace, type PurgePace, type PurgeSession } from './purge-session.ts';

export interface OutboxPurge {
  /** One connection from the first look to the last delete: a server that was replaced in between has cut it. */
  readonly session: PurgeSession;
  /** Passes once Kafka has everything that was committed before the call. */
  readonly awaitShipped: () => Promise<'passed' | { readonly cannotTell: string }>;
  readonly retentionMs: number;
  /** Stops after the chunk that is under way. */
  readonly signal: AbortSignal;
  /** Proves and counts, deletes nothing. */
  readonly dryRun?: boolean;
  readonly onProgress?: (rows: number) => void;
  readonly pace?: PurgePace;
  /** Rows that one wait for the connector proves; bounds what is in memory. */
  readonly pageRows?: number;
}

export type PurgeOutcome =
  | { readonly kind: 'done' | 'stopped'; readonly rows: number }
  /** Nobody can tell whether the next rows were shipped; those before them, `rows` many, were. */
  | { readonly kind: 'refused'; readonly rows: number; readonly reason: string };

/** Younger rows are never deleted: within this time an operator may want them shipped once more. */
export const minRetentionMs = 3_600_000;

/**
 * Deletes outbox rows that are older than the retention and proven to be in Kafka; safe to call twice, at once too.
 *
 * Neither `seq` nor the time says what was shipped: a transaction that was open for an hour, or a clock that was wrong, commits
 * "old" rows at any moment. So rows are first SEEN, which is to say committed, then the wait for the connector begins, and what is
 * deleted are the rows that were seen, one by one.
 */
export async function purgeOutbox(purge: OutboxPurge): Promise<PurgeOutcome> {
  const { session, retentionMs, signal, pageRows = 50_000 } = purge;
  if (retentionMs < minRetentionMs) throw new Error(`outbox rows are kept for at least ${minRetentionMs / 60_000} min`);
  const cutoff = await noteCutoff(session, retentionMs);
  let rows = 0;
  let page: Seq[] = [];

  async function settle(): Promise<PurgeOutcome | undefined> {
    // Asked AFTER the rows of the page were seen: the line on which everything rests.
    const shipped = await purge.awaitShipped();
    if (shipped !== 'passed') return { kind: 'refused', rows, reason: shipped.cannotTell };
    rows += await deleteRows(purge, page, cutoff, (deleted) => purge.onProgress?.(rows + deleted));
    page = [];
    return signal.aborted ? { kind: 'stopped', rows } : undefined;
  }

  for await (const seqs of listOldRows(session, cutoff)) {
    if (signal.aborted) return { kind: 'stopped', rows };
    page.push(...seqs);
    const ended = page.length >= pageRows ? await settle() : undefined;
    if (ended !== undefined) return ended;
  }
  return (page.length > 0 ? await settle() : undefined) ?? { kind: 'done', rows };
}

async function deleteRows(
  { session, signal, dryRun = false, pace: { chunkRows, pauseMs } = defaultPace }: OutboxPurge,
  seqs: readonly Seq[],
  { cutoff }: Cutoff,
  onProgress: (deleted: number) => void,
): Promise<number> {
  if (dryRun) return seqs.length;
  let deleted = 0;
  for (let from = 0; from < seqs.length && !signal.aborted; from += chunkRows) {
    if (from > 0) await delay(pauseMs);
    // A transaction of its own; the keys name only rows that were seen, whatever has appeared between them since. The time
    // is for a table that was emptied by hand meanwhile: its keys begin anew.
    deleted += await session.change('DELETE FROM outbox WHERE seq IN (?) AND occurred_at < ?', [
      seqs.slice(from, from + chunkRows),
      cutoff,
    ]);
    onProgress(deleted);
  }
  return deleted;
}

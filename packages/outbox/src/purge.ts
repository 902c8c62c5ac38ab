import { setTimeout as delay } from 'node:timers/promises';
import {
  listOldRows,
  noteCutoff,
  type Cutoff,
  type OldRow,
  type PurgeSession,
  type Seq,
} from './outbox-table.ts';

/** How the deletes go on while others work. */
interface PurgePace {
  /** Rows deleted in one transaction, at least 1. */
  readonly chunkRows: number;
  /** Pause between two chunks. */
  readonly pauseMs: number;
}

/** One purge: the connection, the proofs that it needs, the limits. */
export interface OutboxPurge {
  /**
   * One connection from the first read to the last delete: a server that was replaced in between
   * has cut it.
   */
  readonly session: PurgeSession;
  /** Passes once Kafka has everything that was committed before the call. */
  readonly awaitShipped: () => Promise<
    { readonly kind: 'passed' } | { readonly kind: 'cannot-tell'; readonly reason: string }
  >;
  /**
   * Which of these rows no consumer shows to have come through the topic. A row may be in the table
   * and was never in the binlog as a row (`sql_log_bin=0`, STATEMENT format): the connector has
   * passed it without shipping it.
   */
  readonly findUnreceived: (rows: readonly OldRow[]) => Promise<{
    readonly missing: readonly OldRow[];
    readonly undecided: readonly OldRow[];
  }>;
  /** At least `minRetentionMs`. */
  readonly retentionMs: number;
  /** Stops after the chunk that is under way. */
  readonly signal: AbortSignal;
  /** Proves and counts, deletes nothing. */
  readonly dryRun?: boolean;
  readonly onProgress?: (rows: number) => void;
  readonly pace?: PurgePace;
  /** Rows that one wait for the connector proves, at least 1; bounds what is in memory. */
  readonly pageRows?: number;
}

/** Old rows that stay, although the connector has passed them. */
export interface KeptRows {
  /** They were not shipped: no consumer has them, and they are in no topic. */
  readonly missing: number;
  /** The first of these. */
  readonly examples: readonly OldRow[];
  /** Consumers have too much unread to decide, or none reads their kind of aggregate. */
  readonly undecided: number;
}

/** How many rows were deleted and which were kept. */
export type PurgeOutcome = { readonly rows: number; readonly kept: KeptRows } & (
  | { readonly kind: 'done' | 'stopped' }
  /** Whether the next rows were shipped is unknown; those before them, `rows` many, were. */
  | { readonly kind: 'refused'; readonly reason: string }
);

/** One purge of idempotency keys. */
export interface KeyPurge {
  readonly session: PurgeSession;
  /** Stops after the chunk that is under way. */
  readonly signal: AbortSignal;
  readonly pace?: PurgePace;
}

const defaultPace: PurgePace = { chunkRows: 1_000, pauseMs: 50 };

const maxExamples = 10;

/** Younger rows are never deleted: within this time an operator may want them shipped once more. */
export const minRetentionMs = 3_600_000;

/** What clients are promised: within this time a repeated request gets its first answer. */
const keyLifeHours = 24;

/**
 * Deletes outbox rows that are older than the retention and proven to be in Kafka; safe to call
 * twice, at once too.
 *
 * Neither `seq` nor the time proves what was shipped: a transaction that was open for an hour, or a
 * clock that was wrong, commits "old" rows at any moment. So rows are first read, which proves them
 * committed, then the wait for the connector begins, and what is deleted are the rows that were
 * read, one by one, and that a consumer shows to have been in the topic.
 */
export async function purgeOutbox(purge: OutboxPurge): Promise<PurgeOutcome> {
  const { session, retentionMs, signal, pageRows = 50_000 } = purge;
  assertInteger('pageRows', pageRows, 1);
  assertPace(purge.pace);
  if (!Number.isFinite(retentionMs) || retentionMs < minRetentionMs)
    throw new Error(
      `outbox rows are kept for at least ${minRetentionMs / 60_000} min, not for ${retentionMs} ms`,
    );
  const cutoff = await noteCutoff(session, retentionMs);
  let rows = 0;
  let kept: KeptRows = { missing: 0, examples: [], undecided: 0 };
  let page: OldRow[] = [];

  async function purgePage(): Promise<PurgeOutcome | undefined> {
    // Must come after the rows of the page were read: the proof covers only earlier commits.
    const shipped = await purge.awaitShipped();
    if (shipped.kind !== 'passed') return { kind: 'refused', rows, kept, reason: shipped.reason };
    const { missing, undecided } = await purge.findUnreceived(page);
    kept = {
      missing: kept.missing + missing.length,
      examples: [...kept.examples, ...missing].slice(0, maxExamples),
      undecided: kept.undecided + undecided.length,
    };
    const stays = new Set([...missing, ...undecided].map(({ seq }) => seq));
    const seqs = page.map(({ seq }) => seq).filter((seq) => !stays.has(seq));
    rows += await deleteRows(purge, seqs, cutoff, (deleted) => purge.onProgress?.(rows + deleted));
    page = [];
    return signal.aborted ? { kind: 'stopped', rows, kept } : undefined;
  }

  for await (const read of listOldRows(session, cutoff)) {
    if (signal.aborted) return { kind: 'stopped', rows, kept };
    page.push(...read);
    const ended = page.length >= pageRows ? await purgePage() : undefined;
    if (ended !== undefined) return ended;
  }
  return (page.length > 0 ? await purgePage() : undefined) ?? { kind: 'done', rows, kept };
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
    // A transaction of its own; the keys name only rows that were read, whatever has appeared
    // between them since. The time is for a table that was emptied by hand meanwhile: its keys
    // begin anew.
    deleted += await session.change('DELETE FROM outbox WHERE seq IN (?) AND occurred_at < ?', [
      seqs.slice(from, from + chunkRows),
      cutoff,
    ]);
    onProgress(deleted);
  }
  return deleted;
}

/**
 * What an operator reads of rows that stay although the connector has passed them; undefined when
 * there are none.
 */
export function describeKept({ missing, examples, undecided }: KeptRows): string | undefined {
  const oldRows = (count: number): string => `${count} old outbox row${count === 1 ? '' : 's'}`;
  const parts: string[] = [];
  if (missing > 0) {
    const names = examples.map(
      ({ seq, aggregateId, version }) => `${aggregateId} version ${version} (seq ${seq})`,
    );
    const more = missing > names.length ? `, and ${missing - names.length} more` : '';
    parts.push(
      `${oldRows(missing)} never reached the topic, although the connector has passed them: ${names.join(', ')}${more}. ` +
        'They stay; "npm run outbox -- redrive" ships them',
    );
  }
  if (undecided > 0) {
    parts.push(
      `${oldRows(undecided)} stay: no consumer has them, and none could look for them (too much is unread, or none reads their kind)`,
    );
  }
  return parts.length === 0 ? undefined : parts.join('. ');
}

/**
 * Deletes idempotency keys that are older than promised, and returns how many; safe to call twice,
 * at once too.
 */
export async function purgeKeys({
  session,
  signal,
  pace = defaultPace,
}: KeyPurge): Promise<number> {
  assertPace(pace);
  const { chunkRows, pauseMs } = pace;
  for (let deleted = 0; ; await delay(pauseMs)) {
    const chunk = await session.change(
      // Named: while the statistics of the table are old, MySQL would read all of it.
      `DELETE /*+ INDEX(idempotency_key idempotency_key_created) */ FROM idempotency_key WHERE created_at < UTC_TIMESTAMP(3) - INTERVAL ${keyLifeHours} HOUR ORDER BY created_at LIMIT ?`,
      [chunkRows],
    );
    deleted += chunk;
    if (chunk < chunkRows || signal.aborted) return deleted;
  }
}

/** Chunks of nothing would be deleted without an end. */
function assertPace({ chunkRows, pauseMs }: PurgePace = defaultPace): void {
  assertInteger('pace.chunkRows', chunkRows, 1);
  assertInteger('pace.pauseMs', pauseMs, 0);
}

function assertInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`Purge: ${name} is ${value}, must be an integer of at least ${least}.`);
}

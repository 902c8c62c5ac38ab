import type { AuditReport } from '@board/inbox';
import type { RunSql } from '../../cli/run-sql.ts';

/** Records that were gone before the consumer read them, as it has found them so far. */
export interface MissingRanges {
  readonly reasons: readonly string[];
  /** When the last of them was found, milliseconds since the epoch. */
  readonly foundAt: number;
}

export async function readMissing(
  sql: RunSql,
  schema: string,
  group: string,
): Promise<MissingRanges> {
  const rows = await sql<{ reason: string; found_at: number }>(
    `SELECT reason, found_at FROM ${schema}.missing_range WHERE consumer = ? AND cleared_at IS NULL ORDER BY found_at`,
    [group],
  );
  return { reasons: rows.map(({ reason }) => reason), foundAt: rows.at(-1)?.found_at ?? 0 };
}

/**
 * A clean audit clears what was found before it began: whatever went, nothing is missing. Says what
 * became of it.
 */
export async function clearMissing(
  sql: RunSql,
  schema: string,
  group: string,
  { reasons, foundAt }: MissingRanges,
  { outcome }: AuditReport,
): Promise<string[]> {
  if (reasons.length === 0) return [];
  if (outcome !== 'clean') return reasons.map((reason) => `Not cleared: ${reason}.`);
  await sql(
    `UPDATE ${schema}.missing_range SET cleared_at = ? WHERE consumer = ? AND cleared_at IS NULL AND found_at <= ?`,
    [Date.now(), group, foundAt],
  );
  return reasons.map((reason) => `Cleared by this audit: ${reason}.`);
}

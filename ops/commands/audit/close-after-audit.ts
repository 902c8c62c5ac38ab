import { isWatched, findOpenIncident, type RelayMemory, type RelayMemoryStore } from '@board/relay';
import type { AuditReport } from '@board/inbox';
import type { RunSql } from '../../cli/run-sql.ts';

/** A note when no keeper has watched the relay, else nothing. */
export function noteKeeper(memory: RelayMemory | undefined): string[] {
  const blind =
    'GTIDs that were reset and have grown past the old ones would not have been noticed';
  if (memory?.seen === undefined) return [`No keeper has observed the connector yet: ${blind}.`];
  return isWatched(memory, new Date())
    ? []
    : [`No keeper has observed the connector since ${memory.seen.at}: ${blind}.`];
}

/**
 * Closes the incident that the keeper opened before the audit began, when every consumer was
 * audited and is clean. Returns notes on it; none when there is no such incident.
 */
export async function closeIncident(
  memory: RelayMemoryStore,
  remembered: RelayMemory = {},
  reports: readonly AuditReport[],
  isWhole: boolean,
): Promise<string[]> {
  const open = findOpenIncident(remembered);
  if (open === undefined) return [];
  if (!isWhole) return [`Not closed, as not every consumer was audited: ${open.reason}.`];
  if (reports.some(({ outcome }) => outcome !== 'clean')) return [`Not closed: ${open.reason}.`];
  const compared = reports.reduce((sum, report) => sum + report.compared, 0);
  const at = new Date().toISOString();
  await memory.remember({
    closure: { suspicion: open.id, at, by: 'audit', reason: `clean, ${compared} compared` },
  });
  return [`Closed by this audit: ${open.reason}.`];
}

/** Records that were gone from the topic before the consumer read them. */
export interface MissingRanges {
  readonly reasons: readonly string[];
  /** When the last of them was found, milliseconds since the epoch. */
  readonly foundAt: number;
}

/** Reads the ranges that the consumer has noted and no audit has cleared. */
export async function readMissing(
  sql: RunSql,
  schema: string,
  group: string,
): Promise<MissingRanges> {
  const rows = await sql<{ reason: string; found_at: number }>(
    `SELECT reason, found_at FROM ${schema}.missing_range
      WHERE consumer = ? AND cleared_at IS NULL ORDER BY found_at`,
    [group],
  );
  return { reasons: rows.map(({ reason }) => reason), foundAt: rows.at(-1)?.found_at ?? 0 };
}

/** Clears the ranges that were found before the audit began, when it is clean; returns notes. */
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
    `UPDATE ${schema}.missing_range SET cleared_at = ?
      WHERE consumer = ? AND cleared_at IS NULL AND found_at <= ?`,
    [Date.now(), group, foundAt],
  );
  return reasons.map((reason) => `Cleared by this audit: ${reason}.`);
}

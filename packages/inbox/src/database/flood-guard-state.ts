import type { DataSource } from 'typeorm';
import type { Consumer } from '../consumer.ts';

/** When the guard was opened, milliseconds since the epoch; undefined when it is closed. */
export async function readOpenedAt(dataSource: DataSource, { group }: Consumer): Promise<number | undefined> {
  const [row]: readonly { opened_at: string | null }[] = await dataSource.query(
    'SELECT opened_at FROM flood_guard WHERE consumer = ?',
    [group],
  );
  return row?.opened_at ? Number(row.opened_at) : undefined;
}

/** Opens the guard for every instance; the first to open it sets the time. */
export async function openGuard(
  dataSource: DataSource,
  { group }: Consumer,
  nowMs: number,
  probeAtMs: number,
): Promise<void> {
  await dataSource.query(
    `INSERT INTO flood_guard (consumer, opened_at, probe_at) VALUES (?, ?, ?) AS opened
     ON DUPLICATE KEY UPDATE probe_at = IF(flood_guard.opened_at IS NULL, opened.probe_at, flood_guard.probe_at),
       opened_at = COALESCE(flood_guard.opened_at, opened.opened_at)`,
    [group, nowMs, probeAtMs],
  );
}

export async function closeGuard(dataSource: DataSource, { group }: Consumer): Promise<void> {
  await dataSource.query('UPDATE flood_guard SET opened_at = NULL WHERE consumer = ?', [group]);
}

/** Gives the next probe to one caller among all instances, and the one after it not before `nextAtMs`. */
export async function claimProbe(
  dataSource: DataSource,
  { group }: Consumer,
  nowMs: number,
  nextAtMs: number,
): Promise<boolean> {
  const result: { affectedRows: number } = await dataSource.query(
    'UPDATE flood_guard SET probe_at = ? WHERE consumer = ? AND opened_at IS NOT NULL AND probe_at <= ?',
    [nextAtMs, group, nowMs],
  );
  return result.affectedRows === 1;
}

/** Lets the next probe be claimed at once: the last one proved nothing. */
export async function returnProbe(dataSource: DataSource, { group }: Consumer, nowMs: number): Promise<void> {
  await dataSource.query('UPDATE flood_guard SET probe_at = ? WHERE consumer = ?', [nowMs, group]);
}

/** Letters of spent attempts since a time, by all instances. */
export async function countSpentSince(dataSource: DataSource, { group }: Consumer, sinceMs: number): Promise<number> {
  const [row]: readonly { letters: string }[] = await dataSource.query(
    "SELECT COUNT(*) AS letters FROM dead_letter WHERE consumer = ? AND is_open = 1 AND reason = 'attempts-exhausted' AND last_failed_at >= ?",
    [group, sinceMs],
  );
  return Number(row?.letters ?? 0);
}

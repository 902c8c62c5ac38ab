import type { EntityManager } from 'typeorm';
import type { Consumer } from '../consumer.ts';
import { databaseNowMs } from './database-now.ts';

// Every time here is the database's: instances whose clocks differ would wait for each other's.

/** When the guard was opened, milliseconds since the epoch; undefined when it is closed. */
export async function readOpenedAt(tx: EntityManager, { group }: Consumer): Promise<number | undefined> {
  const [row]: readonly { opened_at: string | null }[] = await tx.query(
    'SELECT opened_at FROM flood_guard WHERE consumer = ?',
    [group],
  );
  return row?.opened_at ? Number(row.opened_at) : undefined;
}

/** Opens the guard for every instance, its first probe after `probeAfterMs`; the first to open it sets the times. */
export async function openGuard(tx: EntityManager, { group }: Consumer, probeAfterMs: number): Promise<void> {
  await tx.query(
    `INSERT INTO flood_guard (consumer, opened_at, probe_at) VALUES (?, ${databaseNowMs}, ${databaseNowMs} + ?) AS opened
     ON DUPLICATE KEY UPDATE probe_at = IF(flood_guard.opened_at IS NULL, opened.probe_at, flood_guard.probe_at),
       opened_at = COALESCE(flood_guard.opened_at, opened.opened_at)`,
    [group, probeAfterMs],
  );
}

export async function closeGuard(tx: EntityManager, { group }: Consumer): Promise<void> {
  await tx.query('UPDATE flood_guard SET opened_at = NULL WHERE consumer = ?', [group]);
}

/** Gives the next probe to one caller among all instances, and the one after it not before `everyMs` have passed. */
export async function claimProbe(tx: EntityManager, { group }: Consumer, everyMs: number): Promise<boolean> {
  // A probe that is due later than one interval from now was timed by a clock that has been set back since.
  const result: { affectedRows: number } = await tx.query(
    `UPDATE flood_guard SET probe_at = ${databaseNowMs} + ? WHERE consumer = ? AND opened_at IS NOT NULL
       AND (probe_at <= ${databaseNowMs} OR probe_at > ${databaseNowMs} + ?)`,
    [everyMs, group, everyMs],
  );
  return result.affectedRows === 1;
}

/** Lets the next probe be claimed at once: the last one proved nothing. */
export async function returnProbe(tx: EntityManager, { group }: Consumer): Promise<void> {
  await tx.query(`UPDATE flood_guard SET probe_at = ${databaseNowMs} WHERE consumer = ?`, [group]);
}

/** Dead letters within the last `windowMs` that blame the handler or the inbox rather than the event, by all instances. */
export async function countSpentLately(tx: EntityManager, { group }: Consumer, windowMs: number): Promise<number> {
  const [row]: readonly { letters: string }[] = await tx.query(
    `SELECT COUNT(*) AS letters FROM dead_letter
     WHERE consumer = ? AND is_open = 1 AND reason IN ('attempts-exhausted', 'unprocessable')
        AND event_id IS NOT NULL AND last_failed_at >= ${databaseNowMs} - ?`,
    [group, windowMs],
  );
  return Number(row?.letters ?? 0);
}

import type { EntityManager } from 'typeorm';
import { databaseNowMs } from './dead-letters.ts';
import type { BreakerState, ConsumerKey } from './store.ts';

// Every time here is the database's: instances whose clocks differ would wait for each other's.

export function mysqlBreakerState(manager: EntityManager, { group }: ConsumerKey): BreakerState {
  return {
    async openedAt() {
      const [row]: readonly { opened_at: string | null }[] = await manager.query(
        'SELECT opened_at FROM flood_guard WHERE consumer = ?',
        [group],
      );
      return row?.opened_at ? Number(row.opened_at) : undefined;
    },

    async open(probeAfterMs) {
      await manager.query(
        `INSERT INTO flood_guard (consumer, opened_at, probe_at) VALUES (?, ${databaseNowMs}, ${databaseNowMs} + ?) AS opened
         ON DUPLICATE KEY UPDATE probe_at = IF(flood_guard.opened_at IS NULL, opened.probe_at, flood_guard.probe_at),
           opened_at = COALESCE(flood_guard.opened_at, opened.opened_at)`,
        [group, probeAfterMs],
      );
    },

    async close() {
      await manager.query('UPDATE flood_guard SET opened_at = NULL WHERE consumer = ?', [group]);
    },

    async claimProbe(everyMs) {
      // A probe that is due later than one interval from now was timed by a clock that has been set back since.
      const result: { affectedRows: number } = await manager.query(
        `UPDATE flood_guard SET probe_at = ${databaseNowMs} + ? WHERE consumer = ? AND opened_at IS NOT NULL
           AND (probe_at <= ${databaseNowMs} OR probe_at > ${databaseNowMs} + ?)`,
        [everyMs, group, everyMs],
      );
      return result.affectedRows === 1;
    },

    async returnProbe() {
      await manager.query(`UPDATE flood_guard SET probe_at = ${databaseNowMs} WHERE consumer = ?`, [group]);
    },

    async countDeadLetters(windowMs) {
      const [row]: readonly { letters: string }[] = await manager.query(
        `SELECT COUNT(*) AS letters FROM dead_letter
         WHERE consumer = ? AND is_open = 1 AND reason IN ('attempts-exhausted', 'unprocessable')
            AND event_id IS NOT NULL AND last_failed_at >= ${databaseNowMs} - ?`,
        [group, windowMs],
      );
      return Number(row?.letters ?? 0);
    },
  };
}

import type { EntityManager } from 'typeorm';
import type { ConsumerKey, Skips } from './store.ts';

export function mysqlSkips(manager: EntityManager, { group, aggregateType }: ConsumerKey, nowMs: () => number): Skips {
  return {
    async record(skips) {
      if (skips.length === 0) return;
      await manager.query(
        `INSERT INTO skipped (consumer, aggregatetype, aggregateid, version, event_id, decided_by, reason, skipped_at) VALUES ?
         ON DUPLICATE KEY UPDATE version = skipped.version`,
        [
          skips.map(({ identity: { aggregateId, version, eventId }, decidedBy, reason }) => [
            group,
            aggregateType,
            aggregateId,
            version,
            eventId,
            decidedBy,
            reason.slice(0, 500),
            nowMs(),
          ]),
        ],
      );
    },

    async findReopened(identities) {
      if (identities.length === 0) return new Set();
      const rows: readonly { event_id: string }[] = await manager.query(
        `SELECT event_id FROM skipped WHERE consumer = ? AND aggregatetype = ? AND decided_by = 'policy'
           AND (aggregateid, version, event_id) IN (?)`,
        [group, aggregateType, identities.map((one) => [one.aggregateId, one.version, one.eventId])],
      );
      return new Set(rows.map((row) => row.event_id));
    },

    async findAhead() {
      const rows: readonly { event_id: string }[] = await manager.query(
        `SELECT skipped.event_id FROM skipped LEFT JOIN mark USING (consumer, aggregatetype, aggregateid)
         WHERE skipped.consumer = ? AND skipped.aggregatetype = ? AND skipped.version > COALESCE(mark.version, 0)`,
        [group, aggregateType],
      );
      return new Set(rows.map((row) => row.event_id));
    },

    async forget(identities) {
      if (identities.length === 0) return;
      await manager.query(
        'DELETE FROM skipped WHERE consumer = ? AND aggregatetype = ? AND (aggregateid, version) IN (?)',
        [group, aggregateType, identities.map((one) => [one.aggregateId, one.version])],
      );
    },
  };
}

import type { EntityManager } from 'typeorm';
import type { Mark } from '../decide.ts';
import type { Identity } from '../record.ts';
import type { ConsumerKey, Marks, Skips } from './store.ts';

/** More keys in one statement and MySQL scans the table instead, locking all of it. */
const keysPerStatement = 1_000;

/** Marks in MySQL: table `mark`. */
export function mysqlMarks(manager: EntityManager, { group, aggregateType }: ConsumerKey): Marks {
  return {
    /*
     * Keys are sorted, so that two transactions wait for each other in one order. An upsert that
     * changes nothing, never INSERT IGNORE: that one deadlocks against itself and cuts long ids down
     * to another aggregate's mark.
     */
    async lock(aggregateIds) {
      const keys = [...new Set(aggregateIds)].sort();
      const marks = new Map<string, Mark>();
      for (let from = 0; from < keys.length; from += keysPerStatement) {
        const ids = keys.slice(from, from + keysPerStatement);
        await manager.query(
          'INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ? ON DUPLICATE KEY UPDATE version = mark.version',
          [ids.map((id) => [group, aggregateType, id, 0, ''])],
        );
        const rows: readonly MarkRow[] = await manager.query(
          'SELECT aggregateid, version, event_id FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid IN (?) ORDER BY aggregateid FOR UPDATE',
          [group, aggregateType, ids],
        );
        for (const row of rows)
          marks.set(row.aggregateid, { version: row.version, eventId: row.event_id });
      }
      return marks;
    },

    async move(moved) {
      const keys = [...moved].sort(([a], [b]) => (a < b ? -1 : 1));
      for (let from = 0; from < keys.length; from += keysPerStatement) {
        await manager.query(
          `INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ? AS moved
           ON DUPLICATE KEY UPDATE version = moved.version, event_id = moved.event_id`,
          [
            keys
              .slice(from, from + keysPerStatement)
              .map(([id, mark]) => [group, aggregateType, id, mark.version, mark.eventId]),
          ],
        );
      }
    },

    async find(aggregateId) {
      const [row]: readonly MarkRow[] = await manager.query(
        'SELECT aggregateid, version, event_id FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ?',
        [group, aggregateType, aggregateId],
      );
      return row && { version: row.version, eventId: row.event_id };
    },
  };
}

interface MarkRow {
  readonly aggregateid: string;
  readonly version: number;
  readonly event_id: string;
}

/** Skips in MySQL: table `skipped`. */
export function mysqlSkips(
  manager: EntityManager,
  { group, aggregateType }: ConsumerKey,
  nowMs: () => number,
): Skips {
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
      if (identities.length === 0) return [];
      const rows: readonly SkippedRow[] = await manager.query(
        `SELECT aggregateid, version, event_id FROM skipped WHERE consumer = ? AND aggregatetype = ? AND decided_by = 'policy'
           AND (aggregateid, version, event_id) IN (?)`,
        [
          group,
          aggregateType,
          identities.map((one) => [one.aggregateId, one.version, one.eventId]),
        ],
      );
      return rows.map(identityOf);
    },

    async findAhead() {
      const rows: readonly SkippedRow[] = await manager.query(
        `SELECT skipped.aggregateid, skipped.version, skipped.event_id FROM skipped LEFT JOIN mark USING (consumer, aggregatetype, aggregateid)
         WHERE skipped.consumer = ? AND skipped.aggregatetype = ? AND skipped.version > COALESCE(mark.version, 0)`,
        [group, aggregateType],
      );
      return rows.map(identityOf);
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

interface SkippedRow {
  readonly aggregateid: string;
  readonly version: number;
  readonly event_id: string;
}

function identityOf({ aggregateid, version, event_id }: SkippedRow): Identity {
  return { aggregateId: aggregateid, version, eventId: event_id };
}

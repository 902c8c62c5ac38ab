import type { EntityManager } from 'typeorm';
import type { ConsumerKey, ReadPositions } from './store.ts';

const shownRanges = 3;

/** Positions and losses in MySQL: tables `read_position` and `missing_range`. */
export function mysqlPositions(
  manager: EntityManager,
  { group }: ConsumerKey,
  nowMs: () => number,
): ReadPositions {
  return {
    async read() {
      const rows: readonly PositionRow[] = await manager.query(
        'SELECT * FROM read_position WHERE consumer = ?',
        [group],
      );
      return rows.map((row) => ({
        topic: row.topic,
        partition: row.kafka_partition,
        next: BigInt(row.next_offset),
        end: BigInt(row.end_offset),
        newestMs: Number(row.newest_timestamp),
      }));
    },

    async store(positions) {
      await manager.query(
        `INSERT INTO read_position (consumer, topic, kafka_partition, next_offset, end_offset, newest_timestamp) VALUES ? AS seen
         ON DUPLICATE KEY UPDATE next_offset = seen.next_offset, end_offset = seen.end_offset,
           newest_timestamp = GREATEST(read_position.newest_timestamp, seen.newest_timestamp)`,
        [
          positions.map((one) => [
            group,
            one.topic,
            one.partition,
            String(one.next),
            String(one.end),
            one.newestMs,
          ]),
        ],
      );
    },

    async recordMissing({ topic, partition, from, to, reason }) {
      await manager.query(
        `INSERT INTO missing_range (consumer, topic, kafka_partition, from_offset, to_offset, reason, found_at)
         VALUES (?, ?, ?, ?, ?, ?, ?) AS found
         ON DUPLICATE KEY UPDATE reason = found.reason, found_at = found.found_at, cleared_at = NULL`,
        [group, topic, partition, String(from), String(to), reason.slice(0, 500), nowMs()],
      );
    },

    async openMissing() {
      const rows: readonly { reason: string }[] = await manager.query(
        'SELECT reason FROM missing_range WHERE consumer = ? AND cleared_at IS NULL ORDER BY found_at, topic, kafka_partition',
        [group],
      );
      return {
        count: rows.length,
        reasons: rows.slice(0, shownRanges).map(({ reason }) => reason),
      };
    },

    async everMissing(topic) {
      const rows: readonly { reason: string }[] = await manager.query(
        'SELECT reason FROM missing_range WHERE consumer = ? AND topic = ? ORDER BY found_at, kafka_partition',
        [group, topic],
      );
      return rows.map(({ reason }) => reason);
    },

    async forget(starts) {
      for (const { topic, partition, low } of starts)
        await manager.query(
          'UPDATE read_position SET next_offset = ? WHERE consumer = ? AND topic = ? AND kafka_partition = ?',
          [String(low), group, topic, partition],
        );
    },
  };
}

interface PositionRow {
  readonly topic: string;
  readonly kafka_partition: number;
  readonly next_offset: string | number;
  readonly end_offset: string | number;
  readonly newest_timestamp: string | number;
}

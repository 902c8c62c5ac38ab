import { must } from '@board/service';
import type { EntityManager } from 'typeorm';
import type { Mark } from '../decide.ts';
import { sizeOf, type Delivery } from '../record.ts';
import { fromRow, toRow, type ParkedRow } from './parked-row.ts';
import type { ConsumerKey, ParkedEvents } from './store.ts';

const rowsPerStatement = 200;

/** Far below MySQL's packet limit, also with every byte written as two. */
const bytesPerStatement = 4 * 1024 * 1024;
const keysPerPage = 500;

/** Parked events in MySQL: table `parked`. */
export function mysqlParked(
  manager: EntityManager,
  consumer: ConsumerKey,
  nowMs: () => number,
): ParkedEvents {
  const { group, aggregateType } = consumer;

  /**
   * The lowest and the highest parked version of those aggregates that have any.
   *
   * A GROUP BY would read all that each of them has parked, again with every mark that moves, and
   * left to itself MySQL even walks `parked_size`, which is all that the consumer has parked. So
   * first the aggregates that have any, one key each; then both ends of those.
   */
  async function findEnds(aggregateIds: readonly string[]): Promise<readonly ParkedEnds[]> {
    const found: readonly { aggregateid: string }[] = await manager.query(
      `SELECT mark.aggregateid FROM mark WHERE mark.consumer = ? AND mark.aggregatetype = ? AND mark.aggregateid IN (?)
         AND EXISTS (SELECT /*+ SEMIJOIN(FIRSTMATCH) */ 1 FROM parked FORCE INDEX (PRIMARY) WHERE parked.consumer = mark.consumer
           AND parked.aggregatetype = mark.aggregatetype AND parked.aggregateid = mark.aggregateid)`,
      [group, aggregateType, aggregateIds],
    );
    if (found.length === 0) return [];
    return manager.query(
      found.map(() => endsOfOne).join(' UNION ALL '),
      found.flatMap(({ aggregateid }) => [aggregateid, group, aggregateType, aggregateid]),
    );
  }

  return {
    async add(deliveries) {
      const conflicts: Delivery[] = [];
      for (const slice of slices(deliveries)) {
        await manager.query(
          `INSERT INTO parked (consumer, aggregatetype, aggregateid, version, event_id, kind, attempt, first_failed_at, replayed,
             topic, kafka_partition, kafka_offset, appended_at, record_key, record_value, headers, bytes, parked_at)
           VALUES ? AS again ON DUPLICATE KEY UPDATE
             kind = IF(parked.event_id = again.event_id AND again.replayed, again.kind, parked.kind),
             attempt = IF(parked.event_id = again.event_id, GREATEST(parked.attempt, again.attempt), parked.attempt),
             first_failed_at = IF(parked.event_id = again.event_id, COALESCE(parked.first_failed_at, again.first_failed_at), parked.first_failed_at),
             replayed = IF(parked.event_id = again.event_id, GREATEST(parked.replayed, again.replayed), parked.replayed),
             parked_at = IF(parked.event_id = again.event_id, parked.parked_at + 1, parked.parked_at)`,
          [slice.map((delivery) => toRow(consumer, delivery, nowMs()))],
        );
        const holders: readonly { aggregateid: string; version: number; event_id: string }[] =
          await manager.query(
            'SELECT aggregateid, version, event_id FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND (aggregateid, version) IN (?)',
            [
              group,
              aggregateType,
              slice.map(({ identity }) => [identity.aggregateId, identity.version]),
            ],
          );
        const holder = new Map(
          holders.map((row) => [`${row.version} ${row.aggregateid}`, row.event_id]),
        );
        conflicts.push(
          ...slice.filter(
            ({ identity }) =>
              holder.get(`${identity.version} ${identity.aggregateId}`) !== identity.eventId,
          ),
        );
      }
      return conflicts;
    },

    async compare(moved) {
      if (moved.size === 0) return { passed: [], waiting: [] };
      const ends = await findEnds([...moved.keys()]);
      return {
        passed: ends
          .filter(({ aggregateid, lowest }) => lowest <= versionOf(moved, aggregateid))
          .map(idOf),
        waiting: ends
          .filter(({ aggregateid, highest }) => highest > versionOf(moved, aggregateid))
          .map(idOf),
      };
    },

    async findConflicts(applied) {
      if (applied.length === 0) return [];
      const rows: readonly ParkedRow[] = await manager.query(
        'SELECT * FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND (aggregateid, version) IN (?)',
        [group, aggregateType, applied.map(({ aggregateId, version }) => [aggregateId, version])],
      );
      const winners = new Map(
        applied.map(({ aggregateId, version, eventId }) => [`${version} ${aggregateId}`, eventId]),
      );
      return rows
        .filter((row) => winners.get(`${row.version} ${row.aggregateid}`) !== row.event_id)
        .map(fromRow);
    },

    async deletePassed(moved, aggregateIds) {
      for (const aggregateId of aggregateIds)
        await manager.query(
          'DELETE FROM parked WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version <= ?',
          [group, aggregateType, aggregateId, versionOf(moved, aggregateId)],
        );
    },

    async next(aggregateId, limit) {
      const [mark]: readonly { version: number }[] = await manager.query(
        'SELECT version FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ?',
        [group, aggregateType, aggregateId],
      );
      const next = (mark?.version ?? 0) + 1;
      const key = [group, aggregateType, aggregateId, next];
      const sizes: readonly { version: number; bytes: number }[] = await manager.query(
        `SELECT version, bytes FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version >= ?
         ORDER BY version LIMIT ?`,
        [...key, limit],
      );
      let bytes = 0;
      const ready = sizes.filter((row, index) => {
        bytes += row.bytes;
        return row.version === next + index && (index === 0 || bytes <= bytesPerStatement);
      });
      if (ready.length === 0) return [];
      const rows: readonly ParkedRow[] = await manager.query(
        `SELECT * FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version >= ? AND version < ?
         ORDER BY version`,
        [...key, next + ready.length],
      );
      return rows.map(fromRow);
    },

    async find(aggregateId, version) {
      const [row]: readonly ParkedRow[] = await manager.query(
        'SELECT * FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?',
        [group, aggregateType, aggregateId, version],
      );
      return row && fromRow(row);
    },

    async remove(parked) {
      for (const { identity, attempt, parkedAtMs } of parked)
        await manager.query(
          `DELETE FROM parked WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ? AND event_id = ?
             AND attempt = ? AND parked_at = ?`,
          [
            group,
            aggregateType,
            identity.aggregateId,
            identity.version,
            identity.eventId,
            attempt,
            parkedAtMs,
          ],
        );
    },

    async lowest(after) {
      // A page of keys, not of aggregates: the rest of a long one, a million rows maybe, is stepped
      // over by the next page.
      const keys: readonly { aggregateid: string; version: number; mark: number | null }[] =
        await manager.query(
          `SELECT page.aggregateid, page.version, mark.version AS mark FROM (
           SELECT consumer, aggregatetype, aggregateid, version FROM parked FORCE INDEX (PRIMARY)
           WHERE consumer = ? AND aggregatetype = ? AND aggregateid > ? ORDER BY aggregateid, version LIMIT ${keysPerPage}
         ) AS page LEFT JOIN mark USING (consumer, aggregatetype, aggregateid)
         ORDER BY page.aggregateid, page.version`,
          [group, aggregateType, after],
        );
      return keys
        .filter(({ aggregateid }, index) => aggregateid !== keys[index - 1]?.aggregateid)
        .map(({ aggregateid, version, mark }) => ({
          aggregateId: aggregateid,
          version,
          mark: mark ?? undefined,
        }));
    },

    async size() {
      const [size]: readonly { rowCount: string; bytes: string | null; oldest: string | null }[] =
        await manager.query(
          'SELECT COUNT(*) AS rowCount, SUM(bytes) AS bytes, MIN(parked_at) AS oldest FROM parked FORCE INDEX (parked_size) WHERE consumer = ?',
          [group],
        );
      const oldest = size?.oldest ?? null;
      return {
        rows: Number(size?.rowCount ?? 0),
        bytes: Number(size?.bytes ?? 0),
        oldestAgeMs: oldest === null ? 0 : Math.max(0, nowMs() - Number(oldest)),
      };
    },
  };
}

interface ParkedEnds {
  readonly aggregateid: string;
  readonly lowest: number;
  readonly highest: number;
}

/** Answered from the index alone, without a walk. */
const endsOfOne = `SELECT ? AS aggregateid, MIN(version) AS lowest, MAX(version) AS highest
  FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ?`;

function idOf({ aggregateid }: ParkedEnds): string {
  return aggregateid;
}

function versionOf(moved: ReadonlyMap<string, Mark>, aggregateId: string): number {
  return must(moved.get(aggregateId), `moved mark of ${aggregateId}`).version;
}

function* slices(deliveries: readonly Delivery[]): Generator<Delivery[]> {
  let slice: Delivery[] = [];
  let bytes = 0;
  for (const delivery of deliveries) {
    const size = sizeOf(delivery.record);
    if (
      slice.length > 0 &&
      (slice.length >= rowsPerStatement || bytes + size > bytesPerStatement)
    ) {
      yield slice;
      slice = [];
      bytes = 0;
    }
    slice.push(delivery);
    bytes += size;
  }
  if (slice.length > 0) yield slice;
}

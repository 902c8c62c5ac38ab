import type { EntityManager } from 'typeorm';
import type { Mark } from '../decide/decide.ts';
import type { Identity } from '../decide/identity.ts';
import type { Delivery } from '../delivery.ts';
import type { Consumer } from '../consumer.ts';
import { sizeOf } from '../record.ts';
import { fromRow, toRow, type ParkedRow } from './parked-row.ts';

const rowsPerStatement = 200;

/** Far below MySQL's packet limit, also with every byte written as two. */
const bytesPerStatement = 4 * 1024 * 1024;

/**
 * Keeps deliveries until their predecessor is applied; parking one twice is harmless.
 * Returns those whose place is taken by another event.
 */
export async function park(
  tx: EntityManager,
  consumer: Consumer,
  deliveries: readonly Delivery[],
  nowMs: number,
): Promise<Delivery[]> {
  const conflicts: Delivery[] = [];
  for (const slice of slices(deliveries)) {
    await tx.query(
      `INSERT INTO parked (consumer, aggregatetype, aggregateid, version, event_id, kind, attempt, first_failed_at, replayed,
         topic, kafka_partition, kafka_offset, appended_at, record_key, record_value, headers, bytes, parked_at)
       VALUES ? ON DUPLICATE KEY UPDATE version = parked.version`,
      [slice.map((delivery) => toRow(consumer, delivery, nowMs))],
    );
    const holders: readonly { aggregateid: string; version: number; event_id: string }[] = await tx.query(
      'SELECT aggregateid, version, event_id FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND (aggregateid, version) IN (?)',
      [consumer.group, consumer.aggregateType, slice.map(({ identity }) => [identity.aggregateId, identity.version])],
    );
    const holder = new Map(holders.map((row) => [`${row.version} ${row.aggregateid}`, row.event_id]));
    conflicts.push(
      ...slice.filter(({ identity }) => holder.get(`${identity.version} ${identity.aggregateId}`) !== identity.eventId),
    );
  }
  return conflicts;
}

function* slices(deliveries: readonly Delivery[]): Generator<Delivery[]> {
  let slice: Delivery[] = [];
  let bytes = 0;
  for (const delivery of deliveries) {
    const size = sizeOf(delivery.record);
    if (slice.length > 0 && (slice.length >= rowsPerStatement || bytes + size > bytesPerStatement)) {
      yield slice;
      slice = [];
      bytes = 0;
    }
    slice.push(delivery);
    bytes += size;
  }
  if (slice.length > 0) yield slice;
}

/**
 * Deletes what the moved marks have passed, and tells which of these aggregates have their next event parked.
 * Whoever moves a mark calls this in the same transaction, so no row is left behind a mark.
 * `beforeDeletion` is told the aggregates of which rows go.
 */
export async function clearPassed(
  tx: EntityManager,
  consumer: Consumer,
  moved: ReadonlyMap<string, Mark>,
  beforeDeletion: (aggregateIds: readonly string[]) => Promise<void> = () => Promise.resolve(),
): Promise<string[]> {
  if (moved.size === 0) return [];
  const parked = await parkedEnds(tx, consumer, [...moved.keys()]);
  const markOf = (aggregateId: string): number => moved.get(aggregateId)?.version ?? 0;
  const passed = parked.filter(({ aggregateid, lowest }) => lowest <= markOf(aggregateid));
  if (passed.length > 0) await beforeDeletion(passed.map(({ aggregateid }) => aggregateid));
  for (const { aggregateid } of passed)
    await tx.query('DELETE FROM parked WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version <= ?', [
      consumer.group,
      consumer.aggregateType,
      aggregateid,
      markOf(aggregateid),
    ]);
  return parked
    .filter(({ aggregateid, highest }) => highest > markOf(aggregateid))
    .map(({ aggregateid }) => aggregateid);
}

/**
 * The lowest and the highest parked version of those aggregates that have any.
 *
 * A GROUP BY would read all that each of them has parked, again with every mark that moves, and left to itself MySQL even walks
 * `parked_size`, which is all that the consumer has parked. So: first who has any, one key each; then both ends of those.
 */
async function parkedEnds(
  tx: EntityManager,
  { group, aggregateType }: Consumer,
  aggregateIds: readonly string[],
): Promise<readonly { readonly aggregateid: string; readonly lowest: number; readonly highest: number }[]> {
  const found: readonly { aggregateid: string }[] = await tx.query(
    `SELECT mark.aggregateid FROM mark WHERE mark.consumer = ? AND mark.aggregatetype = ? AND mark.aggregateid IN (?)
       AND EXISTS (SELECT /*+ SEMIJOIN(FIRSTMATCH) */ 1 FROM parked FORCE INDEX (PRIMARY) WHERE parked.consumer = mark.consumer
         AND parked.aggregatetype = mark.aggregatetype AND parked.aggregateid = mark.aggregateid)`,
    [group, aggregateType, aggregateIds],
  );
  if (found.length === 0) return [];
  return tx.query(
    found.map(() => endsOfOne).join(' UNION ALL '),
    found.flatMap(({ aggregateid }) => [aggregateid, group, aggregateType, aggregateid]),
  );
}

/** Answered from the index alone, without a walk. */
const endsOfOne = `SELECT ? AS aggregateid, MIN(version) AS lowest, MAX(version) AS highest
  FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ?`;

export interface LowestParked {
  readonly aggregateId: string;
  readonly version: number;
  /** Undefined before the aggregate has one. */
  readonly mark: number | undefined;
}

const keysPerPage = 500;

/** The lowest parked version of some aggregates behind `after`, by id, each beside its mark; none at the end. */
export async function lowestParked(
  tx: EntityManager,
  { group, aggregateType }: Consumer,
  after: string,
): Promise<readonly LowestParked[]> {
  // A page of keys, not of aggregates: the rest of a long one, a million rows maybe, is stepped over by the next page.
  const keys: readonly { aggregateid: string; version: number; mark: number | null }[] = await tx.query(
    `SELECT page.aggregateid, page.version, mark.version AS mark FROM (
       SELECT consumer, aggregatetype, aggregateid, version FROM parked FORCE INDEX (PRIMARY)
       WHERE consumer = ? AND aggregatetype = ? AND aggregateid > ? ORDER BY aggregateid, version LIMIT ${keysPerPage}
     ) AS page LEFT JOIN mark USING (consumer, aggregatetype, aggregateid)
     ORDER BY page.aggregateid, page.version`,
    [group, aggregateType, after],
  );
  return keys
    .filter(({ aggregateid }, index) => aggregateid !== keys[index - 1]?.aggregateid)
    .map(({ aggregateid, version, mark }) => ({ aggregateId: aggregateid, version, mark: mark ?? undefined }));
}

/** Parked deliveries whose place one of these events, now applied, has taken although it is another. */
export async function findRivals(
  tx: EntityManager,
  consumer: Consumer,
  applied: readonly Identity[],
): Promise<Delivery[]> {
  if (applied.length === 0) return [];
  const rows: readonly ParkedRow[] = await tx.query(
    'SELECT * FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND (aggregateid, version) IN (?)',
    [consumer.group, consumer.aggregateType, applied.map(({ aggregateId, version }) => [aggregateId, version])],
  );
  const winners = new Map(applied.map(({ aggregateId, version, eventId }) => [`${version} ${aggregateId}`, eventId]));
  return rows.filter((row) => winners.get(`${row.version} ${row.aggregateid}`) !== row.event_id).map(fromRow);
}

/** The parked deliveries that follow an aggregate's mark without a gap, at most `limit`. */
export async function nextParked(
  tx: EntityManager,
  consumer: Consumer,
  aggregateId: string,
  limit: number,
): Promise<Delivery[]> {
  const [mark]: readonly { version: number }[] = await tx.query(
    'SELECT version FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ?',
    [consumer.group, consumer.aggregateType, aggregateId],
  );
  const next = (mark?.version ?? 0) + 1;
  const key = [consumer.group, consumer.aggregateType, aggregateId, next];
  const sizes: readonly { version: number; bytes: number }[] = await tx.query(
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
  const rows: readonly ParkedRow[] = await tx.query(
    `SELECT * FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version >= ? AND version < ?
     ORDER BY version`,
    [...key, next + ready.length],
  );
  return rows.map(fromRow);
}

/** One parked delivery, whether or not its turn has come. */
export async function findParked(
  tx: EntityManager,
  consumer: Consumer,
  aggregateId: string,
  version: number,
): Promise<Delivery | undefined> {
  const [row]: readonly ParkedRow[] = await tx.query(
    'SELECT * FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?',
    [consumer.group, consumer.aggregateType, aggregateId, version],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** Removes parked rows that live on elsewhere: in a retry topic or the DLQ. */
export async function unpark(tx: EntityManager, consumer: Consumer, deliveries: readonly Delivery[]): Promise<void> {
  for (const { identity } of deliveries)
    await tx.query(
      'DELETE FROM parked WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ? AND event_id = ?',
      [consumer.group, consumer.aggregateType, identity.aggregateId, identity.version, identity.eventId],
    );
}

export interface ParkedSize {
  readonly rows: number;
  readonly bytes: number;
  readonly oldestAgeMs: number;
}

/** How much is parked, and for how long the oldest has been. */
export async function parkedSize(tx: EntityManager, consumer: Consumer, nowMs: number): Promise<ParkedSize> {
  const [size]: readonly { rowCount: string; bytes: string | null; oldest: string | null }[] = await tx.query(
    'SELECT COUNT(*) AS rowCount, SUM(bytes) AS bytes, MIN(parked_at) AS oldest FROM parked FORCE INDEX (parked_size) WHERE consumer = ?',
    [consumer.group],
  );
  const oldest = size?.oldest ?? null;
  return {
    rows: Number(size?.rowCount ?? 0),
    bytes: Number(size?.bytes ?? 0),
    oldestAgeMs: oldest === null ? 0 : Math.max(0, nowMs - Number(oldest)),
  };
}

import type { EntityManager, MigrationInterface, QueryRunner } from 'typeorm';
import type { Consumer } from '../consumer.ts';

/** How far each partition was read and what it held, so that a topic that lost records is noticed; and what was lost. */
export class MissingRanges1795900000002 implements MigrationInterface {
  readonly name = 'MissingRanges1795900000002';

  async up(runner: QueryRunner): Promise<void> {
    const partition = `consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      kafka_partition INT UNSIGNED NOT NULL`;
    await runner.query(`CREATE TABLE IF NOT EXISTS read_position (
      ${partition},
      next_offset BIGINT UNSIGNED NOT NULL,
      end_offset BIGINT UNSIGNED NOT NULL,
      newest_timestamp BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (consumer, topic, kafka_partition)
    )`);
    // Times are milliseconds since the epoch; open while cleared_at is NULL.
    await runner.query(`CREATE TABLE IF NOT EXISTS missing_range (
      ${partition},
      from_offset BIGINT UNSIGNED NOT NULL,
      to_offset BIGINT UNSIGNED NOT NULL,
      reason VARCHAR(500) NOT NULL,
      found_at BIGINT UNSIGNED NOT NULL,
      cleared_at BIGINT UNSIGNED NULL,
      PRIMARY KEY (consumer, topic, kafka_partition, from_offset, to_offset)
    )`);
  }

  async down(): Promise<void> {
    throw new Error('Missing records are not forgotten by a migration.');
  }
}

/** One partition as the consumer remembers it. */
export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  /** The offset of the record after the last one processed. */
  readonly next: bigint;
  /** The offset that the partition's next record would get. */
  readonly end: bigint;
  /** The highest timestamp of any record processed, milliseconds since the epoch. */
  readonly newestMs: number;
}

export async function readPositions(tx: EntityManager, { group }: Consumer): Promise<ReadPosition[]> {
  const rows: readonly {
    topic: string;
    kafka_partition: number;
    next_offset: string | number;
    end_offset: string | number;
    newest_timestamp: string | number;
  }[] = await tx.query('SELECT * FROM read_position WHERE consumer = ?', [group]);
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.kafka_partition,
    next: BigInt(row.next_offset),
    end: BigInt(row.end_offset),
    newestMs: Number(row.newest_timestamp),
  }));
}

export async function storePositions(
  tx: EntityManager,
  { group }: Consumer,
  positions: readonly ReadPosition[],
): Promise<void> {
  await tx.query(
    `INSERT INTO read_position (consumer, topic, kafka_partition, next_offset, end_offset, newest_timestamp) VALUES ? AS seen
     ON DUPLICATE KEY UPDATE next_offset = seen.next_offset, end_offset = seen.end_offset,
       newest_timestamp = GREATEST(read_position.newest_timestamp, seen.newest_timestamp)`,
    [positions.map((one) => [group, one.topic, one.partition, String(one.next), String(one.end), one.newestMs])],
  );
}

/** Records that were gone before they were read; both ends included. */
export interface MissingRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly reason: string;
}

/** Safe to call again with the same range; a range that an audit has cleared is open again. */
export async function recordMissing(
  tx: EntityManager,
  { group }: Consumer,
  { topic, partition, from, to, reason }: MissingRange,
  nowMs: number,
): Promise<void> {
  await tx.query(
    `INSERT INTO missing_range (consumer, topic, kafka_partition, from_offset, to_offset, reason, found_at)
     VALUES (?, ?, ?, ?, ?, ?, ?) AS found
     ON DUPLICATE KEY UPDATE reason = found.reason, found_at = found.found_at, cleared_at = NULL`,
    [group, topic, partition, String(from), String(to), reason.slice(0, 500), nowMs],
  );
}

export interface OpenMissing {
  readonly count: number;
  /** Of the oldest few, each as an operator reads it. */
  readonly reasons: readonly string[];
}

const shownRanges = 3;

export async function openMissing(tx: EntityManager, { group }: Consumer): Promise<OpenMissing> {
  const rows: readonly { reason: string }[] = await tx.query(
    'SELECT reason FROM missing_range WHERE consumer = ? AND cleared_at IS NULL ORDER BY found_at, topic, kafka_partition',
    [group],
  );
  return { count: rows.length, reasons: rows.slice(0, shownRanges).map(({ reason }) => reason) };
}

/** Of the topic, whether an audit has cleared them or not, the oldest first. */
export async function everMissing(tx: EntityManager, { group }: Consumer, topic: string): Promise<string[]> {
  const rows: readonly { reason: string }[] = await tx.query(
    'SELECT reason FROM missing_range WHERE consumer = ? AND topic = ? ORDER BY found_at, kafka_partition',
    [group, topic],
  );
  return rows.map(({ reason }) => reason);
}

/** Lets the group begin again: what it has read of the topic so far says nothing of what it will read. */
export async function forgetRead(
  tx: EntityManager,
  { group }: Consumer,
  starts: readonly { readonly topic: string; readonly partition: number; readonly low: bigint }[],
): Promise<void> {
  for (const { topic, partition, low } of starts)
    await tx.query(
      'UPDATE read_position SET next_offset = ? WHERE consumer = ? AND topic = ? AND kafka_partition = ?',
      [String(low), group, topic, partition],
    );
}

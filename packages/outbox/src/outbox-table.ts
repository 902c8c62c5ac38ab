import assert from 'node:assert/strict';
import type { QueryRunner } from 'typeorm';

/*
 * The outbox table: its first shape, how much it holds, and the walk through its old rows.
 *
 * The table lies in the database of the service that owns the aggregates, so the migrations of that
 * service create it. A shape is never edited, only followed by later migrations: what is stored
 * keeps its names. The table of idempotency keys stands in idempotency-keys.ts.
 */

/** The largest payload that the outbox takes; part of the table, so a migration's to change. */
export const payloadLimitBytes = 524_288;

/**
 * Events, insert-only: the connector ships what is inserted, and rows go when the purge has proof
 * that they were shipped.
 *
 * `aggregateTypes` are the topics the service may write to: the Event Router would ship to any name
 * it is given.
 */
export function createOutboxTable(aggregateTypes: readonly string[]): string {
  // The unique key on the version is the last check of "every event is numbered inside its
  // aggregate": a lost lock ends in an error here and not in a conflict at every consumer. UUIDv7
  // ids make its inserts append, so it costs one warm page.
  return `
    CREATE TABLE IF NOT EXISTS outbox (
      seq           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      id            CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      aggregatetype VARCHAR(32)  CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      aggregateid   VARCHAR(64)  CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      version       INT UNSIGNED NOT NULL,
      partition_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
      type          VARCHAR(64)  CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
      payload       MEDIUMBLOB   NOT NULL,
      traceparent   CHAR(55)     CHARACTER SET ascii   COLLATE ascii_bin        NULL,
      occurred_at   DATETIME(6)  NOT NULL,
      UNIQUE KEY outbox_id (id),
      UNIQUE KEY outbox_version (aggregatetype, aggregateid, version),
      CONSTRAINT outbox_aggregatetype ${checkOfTypes(aggregateTypes)},
      CONSTRAINT outbox_version_from_1 CHECK (version >= 1),
      CONSTRAINT outbox_payload_size CHECK (OCTET_LENGTH(payload) <= ${payloadLimitBytes})
    ) ENGINE = InnoDB`;
}

/**
 * Lets the outbox take these aggregate types and no others; for a migration that adds one.
 *
 * MySQL copies the table for it and lets no event in meanwhile: seconds for what the purge leaves
 * there, minutes for a table that was never purged. Safe to run again.
 */
export async function allowAggregateTypes(
  runner: Pick<QueryRunner, 'query'>,
  aggregateTypes: readonly string[],
): Promise<void> {
  // One statement: there is no moment without a check.
  await runner.query(
    `ALTER TABLE outbox DROP CHECK outbox_aggregatetype,
       ADD CONSTRAINT outbox_aggregatetype ${checkOfTypes(aggregateTypes)}`,
  );
}

function checkOfTypes(aggregateTypes: readonly string[]): string {
  const known = aggregateTypes.map((type) => {
    if (!/^[A-Za-z0-9_.-]{1,32}$/.test(type))
      throw new Error(`${type} cannot be an aggregate type`);
    return `'${type}'`;
  });
  return `CHECK (aggregatetype IN (${known.join(', ')}))`;
}

/** How much the outbox and the idempotency keys hold. */
export interface OutboxStatus {
  readonly rows: number;
  /** Of the row that lies first; rows lie nearly in the order of their time. */
  readonly oldestAt: Date | null;
  /** On the disk, indexes and free room included. */
  readonly bytes: number;
  readonly keys: number;
  readonly oldestKeyAt: Date | null;
}

/** How much the outbox and the idempotency keys hold. */
export async function outboxStatus({ query }: Pick<PurgeSession, 'query'>): Promise<OutboxStatus> {
  // Else the sizes may be a day old.
  await query('SET SESSION information_schema_stats_expiry = 0');
  // The narrow index: a count over the table itself would read every payload.
  const [outbox] = await query<{ count: number; oldest: Date | null; bytes: number | string }>(
    `SELECT (SELECT COUNT(*) FROM outbox FORCE INDEX (outbox_id)) AS count,
       (SELECT occurred_at FROM outbox ORDER BY seq LIMIT 1) AS oldest,
       (SELECT SUM(DATA_LENGTH + INDEX_LENGTH + DATA_FREE) FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('outbox', 'idempotency_key')) AS bytes`,
  );
  const [keys] = await query<{ count: number; oldest: Date | null }>(
    'SELECT COUNT(*) AS count, MIN(created_at) AS oldest FROM idempotency_key',
  );
  assert(outbox && keys, 'an aggregate without a group always has one row');
  return {
    rows: outbox.count,
    oldestAt: outbox.oldest,
    bytes: Number(outbox.bytes),
    keys: keys.count,
    oldestKeyAt: keys.oldest,
  };
}

/** One connection to the database; what was read on it is deleted on it, or not at all. */
export interface PurgeSession {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** How many rows the statement has changed. */
  change(sql: string, values?: readonly unknown[]): Promise<number>;
}

/** A row's key; text where a number would lose digits. */
export type Seq = number | string;

/** An outbox row without its payload. */
export interface OldRow {
  readonly seq: Seq;
  readonly id: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
}

/** Both as the database writes times. */
export interface Cutoff {
  /** What happened before it is old. */
  readonly cutoff: string;
  readonly now: string;
}

interface Row extends OldRow {
  readonly is_old: number;
  readonly is_future: number;
}

const stepRows = 1_000;

/** By the database's clock, the same for every process that purges. */
export async function noteCutoff(session: PurgeSession, retentionMs: number): Promise<Cutoff> {
  const [row] = await session.query<Cutoff>(
    `SELECT CAST(moment AS CHAR) AS now, CAST(moment - INTERVAL ? MICROSECOND AS CHAR) AS cutoff
     FROM (SELECT UTC_TIMESTAMP(6) AS moment) AS clock`,
    [retentionMs * 1_000],
  );
  assert(row?.cutoff, `the database has no time ${retentionMs} ms ago`);
  return row;
}

/**
 * Committed rows from before the cutoff, in small steps by `seq`.
 *
 * There is no index on the time, and rows lie nearly in its order: the walk ends at the first step
 * of young rows only. An old row behind them is found by a later purge, once those in front are old
 * too. Rows from the future (a clock that jumped) do not end it: they would, for years.
 */
export async function* listOldRows(
  session: PurgeSession,
  { cutoff, now }: Cutoff,
): AsyncGenerator<readonly OldRow[]> {
  for (let after: Seq = 0; ;) {
    const rows: readonly Row[] = await session.query<Row>(
      `SELECT seq, id, aggregatetype AS aggregateType, aggregateid AS aggregateId, version,
         occurred_at < ? AS is_old, occurred_at > ? AS is_future
       FROM outbox WHERE seq > ? ORDER BY seq LIMIT ${stepRows}`,
      [cutoff, now, after],
    );
    const old = rows.filter(({ is_old: isOld }) => isOld === 1);
    if (old.length > 0) yield old.map(({ is_old: _old, is_future: _future, ...row }) => row);
    const isYoung = rows.every(
      ({ is_old: isOld, is_future: isFuture }) => isOld === 0 && isFuture === 0,
    );
    const last = rows.at(-1);
    if (last === undefined || rows.length < stepRows || isYoung) return;
    after = last.seq;
  }
}

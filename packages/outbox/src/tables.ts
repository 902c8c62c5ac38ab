import assert from 'node:assert/strict';
import type { QueryRunner } from 'typeorm';
import type { PurgeSession } from './old-rows.ts';

/*
 * The two tables of the outbox: their first shape, and how much they hold.
 *
 * They lie in the database of the service that owns the aggregates, so they are made by its migrations. The shapes are never
 * edited, only followed by later migrations: what is stored keeps its names.
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
  // The unique key on the version is the last guard of "every event is numbered inside its
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

/**
 * Idempotency keys and the answers that repeats get.
 *
 * Clients choose keys at random: as a primary key they would spread the stored answers over every
 * page of the table, so rows lie in the order of arrival and only the narrow hash is random.
 */
export const createIdempotencyTable = `
    CREATE TABLE IF NOT EXISTS idempotency_key (
      seq         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      key_hash    BINARY(32)  NOT NULL,
      fingerprint BINARY(32)  NOT NULL,
      answer      MEDIUMBLOB  NOT NULL,
      created_at  DATETIME(3) NOT NULL,
      UNIQUE KEY idempotency_key_hash (key_hash),
      KEY idempotency_key_created (created_at)
    ) ENGINE = InnoDB`;

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

import type { MigrationInterface, QueryRunner } from 'typeorm';

const key = `consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  aggregatetype VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  aggregateid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL`;

/** The tables of the inbox, in the consumer's own schema: an effect and its mark must share a transaction. */
export class InboxTables1764000000000 implements MigrationInterface {
  readonly name = 'InboxTables1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    // MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that died half-way run again.
    // One number per aggregate: the highest version applied, and that event's id to notice two events in one place.
    await runner.query(`CREATE TABLE IF NOT EXISTS mark (
      ${key},
      version INT UNSIGNED NOT NULL,
      event_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      PRIMARY KEY (consumer, aggregatetype, aggregateid)
    )`);

    // Records that wait for their predecessor, undecoded. Times are milliseconds since the epoch.
    await runner.query(`CREATE TABLE IF NOT EXISTS parked (
      ${key},
      version INT UNSIGNED NOT NULL,
      event_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      kind ENUM('event', 'skip-marker') NOT NULL,
      attempt SMALLINT UNSIGNED NOT NULL,
      first_failed_at BIGINT UNSIGNED NULL,
      replayed TINYINT UNSIGNED NOT NULL,
      topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      kafka_partition INT UNSIGNED NOT NULL,
      kafka_offset BIGINT UNSIGNED NOT NULL,
      appended_at BIGINT UNSIGNED NOT NULL,
      record_key MEDIUMBLOB NULL,
      record_value MEDIUMBLOB NULL,
      headers MEDIUMBLOB NOT NULL,
      bytes INT UNSIGNED NOT NULL,
      parked_at BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (consumer, aggregatetype, aggregateid, version),
      KEY parked_size (consumer, parked_at, bytes)
    )`);

    // Versions passed over without their effect, by policy or by hand.
    await runner.query(`CREATE TABLE IF NOT EXISTS skipped (
      ${key},
      version INT UNSIGNED NOT NULL,
      event_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      decided_by ENUM('policy', 'hand') NOT NULL,
      reason VARCHAR(500) NOT NULL,
      skipped_at BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (consumer, aggregatetype, aggregateid, version)
    )`);

    // An index of the group's DLQ, written after the acknowledged publish and before the offset commit. The record itself is
    // in the topic; a letter is an event id, or the origin of a record without identity, however many copies of it there are.
    await runner.query(`CREATE TABLE IF NOT EXISTS dead_letter (
      consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      letter VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      aggregatetype VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      aggregateid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
      version INT UNSIGNED NULL,
      event_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
      reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      attempts SMALLINT UNSIGNED NOT NULL,
      error_class VARCHAR(200) NOT NULL,
      error_message VARCHAR(1000) NOT NULL,
      topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      kafka_partition INT UNSIGNED NOT NULL,
      kafka_offset BIGINT UNSIGNED NOT NULL,
      dlq_partition INT UNSIGNED NOT NULL,
      dlq_offset BIGINT UNSIGNED NOT NULL,
      copies INT UNSIGNED NOT NULL,
      first_failed_at BIGINT UNSIGNED NOT NULL,
      last_failed_at BIGINT UNSIGNED NOT NULL,
      closed_at BIGINT UNSIGNED NULL,
      closed_by ENUM('applied', 'skipped', 'dismissed') NULL,
      closed_reason VARCHAR(500) NULL,
      PRIMARY KEY (consumer, letter),
      KEY open_letters (consumer, closed_at, last_failed_at),
      KEY letters_of_aggregate (consumer, aggregatetype, aggregateid, version)
    )`);

    // One row per consumer, shared by its instances; open while opened_at is set. Times are milliseconds since the epoch.
    await runner.query(`CREATE TABLE IF NOT EXISTS flood_guard (
      consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      opened_at BIGINT UNSIGNED NULL,
      probe_at BIGINT UNSIGNED NOT NULL
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE flood_guard, dead_letter, skipped, parked, mark');
  }
}

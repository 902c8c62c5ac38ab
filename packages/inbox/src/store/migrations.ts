import { addColumn, addIndex, dropIndex } from '@board/mysql';
import type { MigrationInterface, QueryRunner } from 'typeorm';

// MySQL commits each DDL statement by itself, so each migration can run again after it died
// half-way.

const key = `consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  aggregatetype VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  aggregateid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL`;

/**
 * The tables of the inbox, in the consumer's own schema: an effect and its mark must share a
 * transaction.
 */
class InboxTables1764000000000 implements MigrationInterface {
  readonly name = 'InboxTables1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    // MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that died half-way
    // run again. One number per aggregate: the highest version applied, and that event's id to
    // notice two events in one place.
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

    // An index of the group's DLQ, written after the acknowledged publish and before the offset
    // commit. The record itself is in the topic; `letter` is an event id, or the origin of a record
    // without identity, however many copies of it there are.
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

    // One row per consumer, shared by its instances; open while opened_at is set. Times are
    // milliseconds since the epoch.
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

/**
 * Which dead letters an operator sent back, so that an interrupted replay goes on where it stopped.
 */
class LetterReplays1764000000002 implements MigrationInterface {
  readonly name = 'LetterReplays1764000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE IF NOT EXISTS letter_replay (
      consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      letter VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      replays INT UNSIGNED NOT NULL,
      dlq_partition INT UNSIGNED NOT NULL,
      dlq_offset BIGINT UNSIGNED NOT NULL,
      replayed_at BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (consumer, letter)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE letter_replay');
  }
}

/**
 * Which schema an id meant when this consumer first resolved it, so that a registry that lost or
 * changed its schemas is noticed.
 */
class KnownSchemas1764000000003 implements MigrationInterface {
  readonly name = 'KnownSchemas1764000000003';

  async up(runner: QueryRunner): Promise<void> {
    // By event type too: a registry that was filled anew may give the id of one type's schema to
    // another's.
    await runner.query(`CREATE TABLE IF NOT EXISTS known_schema (
      consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      event_type VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
      schema_id INT NOT NULL,
      decision ENUM('registry', 'stored', 'refused') NOT NULL,
      fingerprint CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
      schema_text MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NULL,
      stored_at BIGINT UNSIGNED NOT NULL,
      PRIMARY KEY (consumer, event_type, schema_id)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE known_schema');
  }
}

/**
 * A page of dead letters costs a page, however many there are: `is_open` makes "open" and "closed"
 * one value each, so that an index can hold both and the order in which a page is read.
 */
class DeadLetterPages1764420000000 implements MigrationInterface {
  readonly name = 'DeadLetterPages1764420000000';

  async up(runner: QueryRunner): Promise<void> {
    await addColumn(
      runner,
      'dead_letter',
      'is_open',
      'TINYINT UNSIGNED GENERATED ALWAYS AS (closed_at IS NULL) VIRTUAL NOT NULL',
    );
    // The list, and the search for dead letters whose mark has passed them.
    await addIndex(
      runner,
      'dead_letter',
      'letters_by_time',
      '(consumer, is_open, last_failed_at, letter)',
    );
    // The counts for metrics and the circuit breaker, without a look at the rows.
    await addIndex(
      runner,
      'dead_letter',
      'letters_by_reason',
      '(consumer, is_open, reason, last_failed_at)',
    );
    // What reads the DLQ along with its dead letters: show, replay.
    await addIndex(
      runner,
      'dead_letter',
      'letters_by_position',
      '(consumer, is_open, dlq_partition, dlq_offset)',
    );
    await dropIndex(runner, 'dead_letter', 'open_letters');
  }

  async down(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'dead_letter', 'open_letters', '(consumer, closed_at, last_failed_at)');
    await runner.query(`ALTER TABLE dead_letter DROP INDEX letters_by_time, DROP INDEX letters_by_reason,
      DROP INDEX letters_by_position, DROP COLUMN is_open`);
  }
}

/** Dead letters that do not hold their record, and those that stand for a batch of records. */
class BareDeadLetters1795900000001 implements MigrationInterface {
  readonly name = 'BareDeadLetters1795900000001';

  async up(runner: QueryRunner): Promise<void> {
    await addColumn(runner, 'dead_letter', 'bare', 'TINYINT UNSIGNED NOT NULL DEFAULT 0');
    await addColumn(runner, 'dead_letter', 'last_offset', 'BIGINT UNSIGNED NULL');
  }

  async down(): Promise<void> {
    throw new Error('Bare dead letters are not forgotten by a migration.');
  }
}

/**
 * How far each partition was read and what it held, so that a topic that lost records is noticed;
 * and what was lost.
 */
class MissingRanges1795900000002 implements MigrationInterface {
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

/**
 * The inbox's tables in the consumer's own schema, in the order in which they run; safe to run
 * again after a crash.
 */
export const inboxMigrations: readonly (new () => MigrationInterface)[] = [
  InboxTables1764000000000,
  LetterReplays1764000000002,
  KnownSchemas1764000000003,
  DeadLetterPages1764420000000,
  BareDeadLetters1795900000001,
  MissingRanges1795900000002,
];

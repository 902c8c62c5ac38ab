import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import type { Consumer } from '../consumer.ts';

/** Which dead letters an operator sent back, so that an interrupted replay goes on where it stopped. */
export class LetterReplays1764000000002 implements MigrationInterface {
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

export interface SentLetter {
  readonly letter: string;
  /** The copy of it that was sent. */
  readonly dlqPartition: number;
  readonly dlqOffset: bigint;
}

/** Remembers letters that the retry topic has acknowledged. */
export async function recordReplays(
  dataSource: DataSource,
  consumer: Consumer,
  sent: readonly SentLetter[],
  nowMs: number,
): Promise<void> {
  if (sent.length === 0) return;
  await dataSource.query(
    `INSERT INTO letter_replay (consumer, letter, replays, dlq_partition, dlq_offset, replayed_at) VALUES ? AS sent
     ON DUPLICATE KEY UPDATE replays = letter_replay.replays + 1, dlq_partition = sent.dlq_partition,
       dlq_offset = sent.dlq_offset, replayed_at = sent.replayed_at`,
    [sent.map((one) => [consumer.group, one.letter, 1, one.dlqPartition, String(one.dlqOffset), nowMs])],
  );
}

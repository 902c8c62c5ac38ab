import { addColumn, addIndex, dropIndex } from '@board/database-kit';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A page of dead letters costs a page, however many there are: `is_open` makes "open" and "closed" one value each, so that an
 * index can hold both and the order in which a page is read.
 */
export class DeadLetterPages1764420000000 implements MigrationInterface {
  readonly name = 'DeadLetterPages1764420000000';

  async up(runner: QueryRunner): Promise<void> {
    await addColumn(
      runner,
      'dead_letter',
      'is_open',
      'TINYINT UNSIGNED GENERATED ALWAYS AS (closed_at IS NULL) VIRTUAL NOT NULL',
    );
    // The list, and the search for letters whose mark has passed them.
    await addIndex(runner, 'dead_letter', 'letters_by_time', '(consumer, is_open, last_failed_at, letter)');
    // The counts for metrics and the circuit breaker, without a look at the rows.
    await addIndex(runner, 'dead_letter', 'letters_by_reason', '(consumer, is_open, reason, last_failed_at)');
    // What reads the DLQ along with its letters: show, replay.
    await addIndex(runner, 'dead_letter', 'letters_by_position', '(consumer, is_open, dlq_partition, dlq_offset)');
    await dropIndex(runner, 'dead_letter', 'open_letters');
  }

  async down(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'dead_letter', 'open_letters', '(consumer, closed_at, last_failed_at)');
    await runner.query(`ALTER TABLE dead_letter DROP INDEX letters_by_time, DROP INDEX letters_by_reason,
      DROP INDEX letters_by_position, DROP COLUMN is_open`);
  }
}

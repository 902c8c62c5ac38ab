import { addColumn } from '@board/database-kit';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Dead letters that do not hold their record, and those that stand for a batch of records. */
export class BareDeadLetters1795900000001 implements MigrationInterface {
  readonly name = 'BareDeadLetters1795900000001';

  async up(runner: QueryRunner): Promise<void> {
    await addColumn(runner, 'dead_letter', 'bare', 'TINYINT UNSIGNED NOT NULL DEFAULT 0');
    await addColumn(runner, 'dead_letter', 'last_offset', 'BIGINT UNSIGNED NULL');
  }

  async down(): Promise<void> {
    throw new Error('Bare dead letters are not forgotten by a migration.');
  }
}

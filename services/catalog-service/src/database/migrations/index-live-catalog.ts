import { addIndex } from '@board/mysql';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The list shows what is not deleted: without this, a page behind a mass delete reads every deleted
 * board first.
 */
export class IndexLiveCatalog1764410000001 implements MigrationInterface {
  readonly name = 'IndexLiveCatalog1764410000001';

  async up(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'catalog', 'live_boards', '(deleted_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE catalog DROP INDEX live_boards');
  }
}

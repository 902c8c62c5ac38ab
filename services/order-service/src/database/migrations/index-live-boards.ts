import { addIndex } from '@board/database-kit';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The list shows what is not deleted: without this, a page behind a mass delete reads every deleted board first. */
export class IndexLiveBoards1764410000000 implements MigrationInterface {
  readonly name = 'IndexLiveBoards1764410000000';

  async up(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'board', 'live_boards', '(deleted_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE board DROP INDEX live_boards');
  }
}

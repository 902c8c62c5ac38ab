import { inboxMigrations } from '@board/inbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

class CreateComments1764500000001 implements MigrationInterface {
  readonly name = 'CreateComments1764500000001';

  async up(runner: QueryRunner): Promise<void> {
    // MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that died half-way
    // run again.
    await runner.query(`
      CREATE TABLE IF NOT EXISTS comment (
        id         CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL PRIMARY KEY,
        board_id   CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
        text       TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        author     VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NULL,
        created_at DATETIME(3)  NOT NULL,
        KEY of_board (board_id, id)
      ) ENGINE = InnoDB`);
    await runner.query(`
      CREATE TABLE IF NOT EXISTS comments_per_board (
        board_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        comments INT UNSIGNED NOT NULL
      ) ENGINE = InnoDB`);
  }

  async down(): Promise<void> {
    throw new Error('Comments are not dropped by a migration.');
  }
}

/** The inbox's tables and the comments, in the order in which they run. */
export const migrations = [...inboxMigrations, CreateComments1764500000001];

import { boardTopic } from '@board/contracts';
import { createOutboxTable } from '@board/outbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateBoardAndOutbox1764000000000 implements MigrationInterface {
  readonly name = 'CreateBoardAndOutbox1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    // MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that died half-way run again.
    await runner.query(`
      CREATE TABLE IF NOT EXISTS board (
        id         CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL PRIMARY KEY,
        version    INT UNSIGNED NOT NULL,
        title      VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        content    MEDIUMTEXT   CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        author     VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NULL,
        created_at DATETIME(3)  NOT NULL,
        updated_at DATETIME(3)  NOT NULL,
        deleted_at DATETIME(3)  NULL
      ) ENGINE = InnoDB`);
    await runner.query(createOutboxTable([boardTopic.name]));
  }

  async down(): Promise<void> {
    throw new Error('Boards are not dropped by a migration.');
  }
}

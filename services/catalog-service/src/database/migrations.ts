import { inboxMigrations } from '@board/inbox';
import { addIndex } from '@board/mysql';
import type { MigrationInterface, QueryRunner } from 'typeorm';

class CreateCatalog1764000000001 implements MigrationInterface {
  readonly name = 'CreateCatalog1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    // MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that was killed in
    // its middle run again.
    await runner.query(`
      CREATE TABLE IF NOT EXISTS catalog (
        id            CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL PRIMARY KEY,
        version       INT UNSIGNED NOT NULL,
        title         TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        content       MEDIUMTEXT   CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        author        TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NULL,
        created_at    DATETIME(3)  NOT NULL,
        updated_at    DATETIME(3)  NOT NULL,
        deleted_at    DATETIME(3)  NULL,
        applied_count INT UNSIGNED NOT NULL
      ) ENGINE = InnoDB`);
    await runner.query(`
      CREATE TABLE IF NOT EXISTS created_per_day (
        day     DATE         NOT NULL PRIMARY KEY,
        created INT UNSIGNED NOT NULL
      ) ENGINE = InnoDB`);
  }

  async down(): Promise<void> {
    throw new Error('The catalog is not dropped by a migration.');
  }
}

/**
 * The list shows boards that are not deleted: without this index, a page after a mass delete reads
 * every deleted board first.
 */
class IndexLiveCatalog1764410000001 implements MigrationInterface {
  readonly name = 'IndexLiveCatalog1764410000001';

  async up(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'catalog', 'live_boards', '(deleted_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE catalog DROP INDEX live_boards');
  }
}

/**
 * The inbox's tables and the catalog. TypeORM runs them in the order of the numbers in their names.
 */
export const migrations = [
  ...inboxMigrations,
  CreateCatalog1764000000001,
  IndexLiveCatalog1764410000001,
];

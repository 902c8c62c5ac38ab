import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCatalog1764000000001 implements MigrationInterface {
  readonly name = 'CreateCatalog1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    // MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that died half-way
    // run again.
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

import { addIndex } from '@board/mysql';
import { allowAggregateTypes, createIdempotencyTable, createOutboxTable } from '@board/outbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

// MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that was killed in its
// middle run again. A migration that has run is known by its name: it must never be edited or
// renamed, only followed by another.

class CreateBoardAndOutbox1764000000000 implements MigrationInterface {
  readonly name = 'CreateBoardAndOutbox1764000000000';

  async up(runner: QueryRunner): Promise<void> {
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
    await runner.query(createOutboxTable(['board']));
  }

  async down(): Promise<void> {
    throw new Error('Boards are not dropped by a migration.');
  }
}

class CreateIdempotencyKeys1764100000000 implements MigrationInterface {
  readonly name = 'CreateIdempotencyKeys1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(createIdempotencyTable);
  }

  async down(): Promise<void> {
    throw new Error(
      'Keys are not dropped by a migration: a repeated request would be carried out again.',
    );
  }
}

class CreateEventSchema1764200000000 implements MigrationInterface {
  readonly name = 'CreateEventSchema1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    // The key is the id alone: events with it may be in the topic, so it must never mean another
    // schema.
    await runner.query(`
      CREATE TABLE IF NOT EXISTS event_schema (
        schema_id   INT          NOT NULL PRIMARY KEY,
        subject     VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        fingerprint CHAR(64)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
        used_from   DATETIME(3)  NOT NULL
      ) ENGINE = InnoDB`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE event_schema');
  }
}

/**
 * The list shows boards that are not deleted: without this index, a page after a mass delete reads
 * every deleted board first.
 */
class IndexLiveBoards1764410000000 implements MigrationInterface {
  readonly name = 'IndexLiveBoards1764410000000';

  async up(runner: QueryRunner): Promise<void> {
    await addIndex(runner, 'board', 'live_boards', '(deleted_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE board DROP INDEX live_boards');
  }
}

class CreateComments1764500000000 implements MigrationInterface {
  readonly name = 'CreateComments1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS comment (
        id         CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL PRIMARY KEY,
        version    INT UNSIGNED NOT NULL,
        board_id   CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin        NOT NULL,
        text       TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
        author     VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NULL,
        created_at DATETIME(3)  NOT NULL,
        deleted_at DATETIME(3)  NULL
      ) ENGINE = InnoDB`);
    await allowAggregateTypes(runner, ['board', 'comment']);
  }

  async down(): Promise<void> {
    throw new Error('Comments are not dropped by a migration.');
  }
}

/** In the order in which they run. */
export const migrations = [
  CreateBoardAndOutbox1764000000000,
  CreateIdempotencyKeys1764100000000,
  CreateEventSchema1764200000000,
  IndexLiveBoards1764410000000,
  CreateComments1764500000000,
];

import { inboxMigrations } from '@board/inbox';
import type { Database } from '@board/mysql';
import type { EntityManager, MigrationInterface, QueryRunner } from 'typeorm';
import type { CommentReader, CommentWriter } from '../application/comment-handler.ts';

/* The tables of this service: how they are made, written and read. */

class CreateComments1764500000001 implements MigrationInterface {
  readonly name = 'CreateComments1764500000001';

  async up(runner: QueryRunner): Promise<void> {
    // MySQL commits each DDL statement by itself: IF NOT EXISTS lets a migration that was killed in
    // its middle run again.
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

/**
 * The inbox's tables and the comments. TypeORM runs them in the order of the numbers in their
 * names.
 */
export const migrations = [...inboxMigrations, CreateComments1764500000001];

/** The count is not idempotent and need not be: the inbox applies each event once. */
export const commentWriter: CommentWriter<EntityManager> = {
  async add(tx, { id, boardId, text, author, createdAt }) {
    await tx.query('INSERT INTO comment (id, board_id, text, author, created_at) VALUES (?)', [
      [id, boardId, text, author, createdAt],
    ]);
    await tx.query(
      'INSERT INTO comments_per_board (board_id, comments) VALUES (?, 1) ON DUPLICATE KEY UPDATE comments = comments + 1',
      [boardId],
    );
  },

  async remove(tx, id, boardId) {
    const { affectedRows }: { affectedRows: number } = await tx.query(
      'DELETE FROM comment WHERE id = ?',
      [id],
    );
    // A comment whose first event was skipped by hand was never counted.
    if (affectedRows === 1)
      await tx.query('UPDATE comments_per_board SET comments = comments - 1 WHERE board_id = ?', [
        boardId,
      ]);
  },
};

interface CommentRow {
  readonly id: string;
  readonly text: string;
  readonly author: string | null;
  readonly created_at: Date;
}

/** Reads the comments and their counts. */
export function createCommentReader(database: Database): CommentReader {
  return {
    list(boardId, after, limit) {
      return database.read(async (manager) => {
        // One more than asked for shows whether there is a next page. Ids are in the order of
        // creation.
        const rows: CommentRow[] = await manager.query(
          'SELECT id, text, author, created_at FROM comment WHERE board_id = ? AND id > ? ORDER BY id LIMIT ?',
          [boardId, after, limit + 1],
        );
        const [total]: { comments: number }[] = await manager.query(
          'SELECT comments FROM comments_per_board WHERE board_id = ?',
          [boardId],
        );
        const comments = rows
          .slice(0, limit)
          .map(({ created_at: createdAt, ...row }) => ({ ...row, boardId, createdAt }));
        const next = rows.length > limit ? (comments.at(-1)?.id ?? null) : null;
        return { count: total?.comments ?? 0, comments, next };
      });
    },
  };
}

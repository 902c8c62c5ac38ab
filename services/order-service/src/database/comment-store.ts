import type { Database } from '@board/mysql';
import type { AggregateRows } from '@board/outbox';
import { EntitySchema, In, type EntityManager } from 'typeorm';
import type { Comment } from '../domain/comment.ts';

/** Its migration stands in `migrations.ts`. */
export const commentTable = new EntitySchema<Comment>({
  name: 'Comment',
  tableName: 'comment',
  columns: {
    id: { type: 'char', length: 36, primary: true },
    version: { type: 'int', unsigned: true },
    boardId: { name: 'board_id', type: 'char', length: 36 },
    text: { type: 'text' },
    author: { type: 'varchar', length: 100, nullable: true },
    createdAt: { name: 'created_at', type: 'datetime', precision: 3 },
    deletedAt: { name: 'deleted_at', type: 'datetime', precision: 3, nullable: true },
  },
});

/** The comments' rows, as the transaction that also writes their events locks and changes them. */
export const commentRows: AggregateRows<Comment> = {
  async lock(manager, ids, held) {
    const comments = await manager.find(commentTable, {
      where: { id: In([...ids]) },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write', ...(held === 'skip' ? { onLocked: 'skip_locked' } : {}) },
    });
    return new Map(comments.map((comment) => [comment.id, comment]));
  },

  async exist(manager, ids) {
    const rows: { id: string }[] = await manager.query('SELECT id FROM comment WHERE id IN (?)', [ids]);
    return new Set(rows.map(({ id }) => id));
  },

  insert: (manager, comments) => write(manager, 'INSERT INTO comment (??) VALUES ?', comments),

  // One statement for all; the rows exist and are locked, so nothing is inserted.
  update: (manager, comments) =>
    write(
      manager,
      `INSERT INTO comment (??) VALUES ? AS changed
       ON DUPLICATE KEY UPDATE version = changed.version, deleted_at = changed.deleted_at`,
      comments,
    ),
};

const columns = ['id', 'version', 'board_id', 'text', 'author', 'created_at', 'deleted_at'];

async function write(manager: EntityManager, statement: string, comments: readonly Comment[]): Promise<void> {
  const rows = comments.map(({ id, version, boardId, text, author, createdAt, deletedAt }) => [
    id,
    version,
    boardId,
    text,
    author,
    createdAt,
    deletedAt,
  ]);
  await manager.query(statement, [columns, rows]);
}

/** Whether a board takes comments; asked of the database that commits, as a reader may be behind. */
export function createBoardFinder(database: Database): (id: string) => Promise<'live' | 'missing' | 'deleted'> {
  return async (id) => {
    const [board]: { deletedAt: Date | null }[] = await database.read((manager) =>
      manager.query('SELECT deleted_at AS deletedAt FROM board WHERE id = ?', [id]),
    );
    if (board === undefined) return 'missing';
    return board.deletedAt === null ? 'live' : 'deleted';
  };
}

/** Finds a comment, a removed one too; throws UnavailableError when the database cannot be asked now. */
export function createCommentFinder(database: Database): (id: string) => Promise<Comment | undefined> {
  return async (id) => (await database.read((manager) => manager.findOneBy(commentTable, { id }))) ?? undefined;
}

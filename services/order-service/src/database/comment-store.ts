import type { Database } from '@board/mysql';
import { EntitySchema } from 'typeorm';
import type { Comment } from '../domain/comment.ts';
import { aggregateRows } from './aggregate-rows.ts';

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

export const commentRows = aggregateRows(commentTable, ['version', 'deletedAt']);

/**
 * Whether a board takes comments; asked of the database that commits, as a reader may be behind.
 */
export function createBoardFinder(
  database: Database,
): (id: string) => Promise<'live' | 'missing' | 'deleted'> {
  return async (id) => {
    const [board]: { deletedAt: Date | null }[] = await database.read((manager) =>
      manager.query('SELECT deleted_at AS deletedAt FROM board WHERE id = ?', [id]),
    );
    if (board === undefined) return 'missing';
    return board.deletedAt === null ? 'live' : 'deleted';
  };
}

/**
 * Finds a comment, a removed one too; throws UnavailableError when the database cannot be asked
 * now.
 */
export function createCommentFinder(
  database: Database,
): (id: string) => Promise<Comment | undefined> {
  return async (id) =>
    (await database.read((manager) => manager.findOneBy(commentTable, { id }))) ?? undefined;
}

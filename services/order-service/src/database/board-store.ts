import { cutPage, type Database, type PageCandidate } from '@board/mysql';
import type { AggregateRows } from '@board/outbox';
import { EntitySchema, In, IsNull, type EntityManager } from 'typeorm';
import type { BoardReader } from '../application/board-reader.ts';
import type { Board } from '../domain/board.ts';

/** Its migrations stand in `migrations.ts`. */
export const boardTable = new EntitySchema<Board>({
  name: 'Board',
  tableName: 'board',
  columns: {
    id: { type: 'char', length: 36, primary: true },
    version: { type: 'int', unsigned: true },
    title: { type: 'varchar', length: 200 },
    content: { type: 'mediumtext' },
    author: { type: 'varchar', length: 100, nullable: true },
    createdAt: { name: 'created_at', type: 'datetime', precision: 3 },
    updatedAt: { name: 'updated_at', type: 'datetime', precision: 3 },
    deletedAt: { name: 'deleted_at', type: 'datetime', precision: 3, nullable: true },
  },
});

/** The boards' rows, as the transaction that also writes their events locks and changes them. */
export const boardRows: AggregateRows<Board> = {
  async lock(manager, ids, held) {
    const boards = await manager.find(boardTable, {
      where: { id: In([...ids]) },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write', ...(held === 'skip' ? { onLocked: 'skip_locked' } : {}) },
    });
    return new Map(boards.map((board) => [board.id, board]));
  },

  async exist(manager, ids) {
    const rows: { id: string }[] = await manager.query('SELECT id FROM board WHERE id IN (?)', [ids]);
    return new Set(rows.map(({ id }) => id));
  },

  insert: (manager, boards) => write(manager, 'INSERT INTO board (??) VALUES ?', boards),

  // One statement for all; the rows exist and are locked, so nothing is inserted.
  update: (manager, boards) =>
    write(
      manager,
      `INSERT INTO board (??) VALUES ? AS changed
       ON DUPLICATE KEY UPDATE version = changed.version, title = changed.title, content = changed.content,
         updated_at = changed.updated_at, deleted_at = changed.deleted_at`,
      boards,
    ),
};

const columns = ['id', 'version', 'title', 'content', 'author', 'created_at', 'updated_at', 'deleted_at'];

async function write(manager: EntityManager, statement: string, boards: readonly Board[]): Promise<void> {
  const rows = boards.map((board) => [
    board.id,
    board.version,
    board.title,
    board.content,
    board.author,
    board.createdAt,
    board.updatedAt,
    board.deletedAt,
  ]);
  await manager.query(statement, [columns, rows]);
}

export function createBoardReader(database: Database): BoardReader {
  return {
    async find(id) {
      return (await database.read((manager) => manager.findOneBy(boardTable, { id }))) ?? undefined;
    },
    list({ before, limit }) {
      return database.read(async (manager) => {
        // One more than asked for tells whether there is a next page.
        const found: PageCandidate[] = await manager.query(
          `SELECT id, OCTET_LENGTH(title) + OCTET_LENGTH(content) + COALESCE(OCTET_LENGTH(author), 0) AS bytes FROM board
           WHERE deleted_at IS NULL${before === undefined ? '' : ' AND id < ?'} ORDER BY id DESC LIMIT ?`,
          [...(before === undefined ? [] : [before]), limit + 1],
        );
        const { ids, next } = cutPage(found, limit);
        // Deleted between the two statements: left out here too.
        const where = { id: In([...ids]), deletedAt: IsNull() };
        const boards = await manager.find(boardTable, { where, order: { id: 'DESC' } });
        return { boards, next };
      });
    },
  };
}

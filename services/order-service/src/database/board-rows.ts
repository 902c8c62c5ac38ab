import type { AggregateRows } from '@board/outbox';
import { In, type EntityManager } from 'typeorm';
import type { Board } from '../domain/board.ts';
import { boardTable } from './board-table.ts';

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

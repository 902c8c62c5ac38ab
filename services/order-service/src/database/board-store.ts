import { cutPage, type Database, type PageCandidate } from '@board/mysql';
import { EntitySchema, In, IsNull } from 'typeorm';
import type { BoardReader } from '../application/board-reader.ts';
import type { Board } from '../domain/board.ts';
import { aggregateRows } from './aggregate-rows.ts';

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

export const boardRows = aggregateRows(boardTable, [
  'version',
  'title',
  'content',
  'updatedAt',
  'deletedAt',
]);

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

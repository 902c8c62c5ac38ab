import { cutPage, type Database, type PageCandidate } from '@board/database-kit';
import { In, IsNull } from 'typeorm';
import type { BoardReader } from '../application/ports.ts';
import { boardTable } from './board-table.ts';

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

import type { Database } from '@board/database-kit';
import { IsNull, LessThan } from 'typeorm';
import type { BoardReader } from '../application/ports.ts';
import { boardTable } from './board-table.ts';

export function createBoardReader(database: Database): BoardReader {
  return {
    async find(id) {
      return (await database.read((manager) => manager.findOneBy(boardTable, { id }))) ?? undefined;
    },
    list({ before, limit }) {
      const where = { deletedAt: IsNull(), ...(before === undefined ? {} : { id: LessThan(before) }) };
      return database.read((manager) => manager.find(boardTable, { where, order: { id: 'DESC' }, take: limit }));
    },
  };
}

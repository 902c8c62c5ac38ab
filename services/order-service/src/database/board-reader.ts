import type { Database } from '@board/database-kit';
import { IsNull } from 'typeorm';
import type { BoardReader } from '../application/ports.ts';
import { boardTable } from './board-table.ts';

export function createBoardReader(database: Database): BoardReader {
  return {
    async find(id) {
      const where = { id, deletedAt: IsNull() };
      return (await database.read((manager) => manager.findOneBy(boardTable, where))) ?? undefined;
    },
  };
}

import { cutPage, type Database, type PageCandidate } from '@board/mysql';
import { In, IsNull } from 'typeorm';
import type { CatalogReader } from '../application/ports.ts';
import { catalogTable } from './catalog-table.ts';

export function createCatalogReader(database: Database): CatalogReader {
  return {
    async find(id) {
      return (
        (await database.read((manager) => manager.findOneBy(catalogTable, { id }))) ?? undefined
      );
    },
    list(after, limit) {
      return database.read(async (manager) => {
        // One more than asked for tells whether there is a next page.
        const found: PageCandidate[] = await manager.query(
          `SELECT id, OCTET_LENGTH(title) + OCTET_LENGTH(content) + COALESCE(OCTET_LENGTH(author), 0) AS bytes FROM catalog
           WHERE deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?`,
          [after, limit + 1],
        );
        const { ids, next } = cutPage(found, limit);
        // Deleted between the two statements: left out here too.
        const where = { id: In([...ids]), deletedAt: IsNull() };
        const boards = await manager.find(catalogTable, { where, order: { id: 'ASC' } });
        return { boards, next };
      });
    },
    createdPerDay(limit) {
      return database.read((manager) =>
        manager.query(
          `SELECT DATE_FORMAT(day, '%Y-%m-%d') AS day, created FROM created_per_day ORDER BY created_per_day.day DESC LIMIT ?`,
          [limit],
        ),
      );
    },
  };
}

import type { Database } from '@board/database-kit';
import { IsNull, MoreThan } from 'typeorm';
import type { CatalogReader } from '../application/ports.ts';
import { catalogTable } from './catalog-table.ts';

export function createCatalogReader(database: Database): CatalogReader {
  return {
    async find(id) {
      return (await database.read((manager) => manager.findOneBy(catalogTable, { id }))) ?? undefined;
    },
    list(after, limit) {
      return database.read((manager) =>
        manager.find(catalogTable, {
          where: { id: MoreThan(after), deletedAt: IsNull() },
          order: { id: 'ASC' },
          take: limit,
        }),
      );
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

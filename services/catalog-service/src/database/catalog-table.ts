import { EntitySchema } from 'typeorm';
import type { CatalogBoard } from '../domain/catalog-board.ts';

/** Its migration is `migrations/create-catalog.ts`. */
export const catalogTable = new EntitySchema<CatalogBoard>({
  name: 'CatalogBoard',
  tableName: 'catalog',
  columns: {
    id: { type: 'char', length: 36, primary: true },
    version: { type: 'int', unsigned: true },
    title: { type: 'text' },
    content: { type: 'mediumtext' },
    author: { type: 'text', nullable: true },
    createdAt: { name: 'created_at', type: 'datetime', precision: 3 },
    updatedAt: { name: 'updated_at', type: 'datetime', precision: 3 },
    deletedAt: { name: 'deleted_at', type: 'datetime', precision: 3, nullable: true },
    appliedCount: { name: 'applied_count', type: 'int', unsigned: true },
  },
});

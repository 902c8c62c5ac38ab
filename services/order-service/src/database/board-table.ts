import { EntitySchema } from 'typeorm';
import type { Board } from '../domain/board.ts';

/** Its migration is `migrations/create-board-and-outbox.ts`. */
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

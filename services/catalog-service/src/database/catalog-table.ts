import { cutPage, type Database, type PageCandidate } from '@board/mysql';
import { EntitySchema, In, IsNull, type EntityManager } from 'typeorm';
import type { CatalogReader, CatalogWriter } from '../application/board-handler.ts';
import type { CatalogBoard, CatalogChange } from '../domain/catalog-board.ts';

/* The table `catalog`, which `migrations.ts` makes: its columns, its writer and its reader. */

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

const upsertBoards = `
  INSERT INTO catalog (id, version, title, content, author, created_at, updated_at, deleted_at, applied_count)
  VALUES ? AS event
  ON DUPLICATE KEY UPDATE
    version = event.version, title = event.title, content = event.content, author = event.author,
    created_at = event.created_at, updated_at = event.updated_at, deleted_at = event.deleted_at,
    applied_count = catalog.applied_count + 1`;

const countCreated = `
  INSERT INTO created_per_day (day, created) VALUES ? AS more
  ON DUPLICATE KEY UPDATE created = created_per_day.created + more.created`;

/** One statement for all boards; several events of one board count one by one, in order. */
export const catalogWriter: CatalogWriter<EntityManager> = {
  async apply(tx, changes) {
    if (changes.length === 0) return;
    await tx.query(upsertBoards, [changes.map(toRow)]);
    // Must be last, because every transaction of the day waits for this row; sorted, so that two
    // transactions never wait for each other.
    const created = [...countByDay(changes)].sort(([a], [b]) => (a < b ? -1 : 1));
    if (created.length > 0) await tx.query(countCreated, [created]);
  },
};

function toRow({ board }: CatalogChange): unknown[] {
  const { id, version, title, content, author, createdAt, updatedAt, deletedAt } = board;
  return [id, version, title, content, author, createdAt, updatedAt, deletedAt, 1];
}

function countByDay(changes: readonly CatalogChange[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { createdOn } of changes)
    if (createdOn !== undefined) counts.set(createdOn, (counts.get(createdOn) ?? 0) + 1);
  return counts;
}

/** Reads the catalog; a page costs about what it shows, however many boards were deleted. */
export function createCatalogReader(database: Database): CatalogReader {
  return {
    async find(id) {
      return (
        (await database.read((manager) => manager.findOneBy(catalogTable, { id }))) ?? undefined
      );
    },
    list(after, limit) {
      return database.read(async (manager) => {
        // One more than asked for shows whether there is a next page.
        const found: PageCandidate[] = await manager.query(
          `SELECT id, OCTET_LENGTH(title) + OCTET_LENGTH(content) + COALESCE(OCTET_LENGTH(author), 0) AS bytes FROM catalog
           WHERE deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?`,
          [after, limit + 1],
        );
        const { ids, next } = cutPage(found, limit);
        // A board may be deleted between the two statements.
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

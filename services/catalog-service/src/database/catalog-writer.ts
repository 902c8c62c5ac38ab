import type { EntityManager } from 'typeorm';
import type { CatalogWriter } from '../application/ports.ts';
import type { CatalogChange } from '../domain/to-catalog-change.ts';

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
    // Last, because every transaction of the day waits for this row; sorted, so that two never wait
    // for each other.
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

import type { CatalogBoard } from '../domain/catalog-board.ts';

/** A board as the API shows it; times are ISO 8601 in UTC. */
export function catalogBody(board: CatalogBoard): Record<string, unknown> {
  const { id, version, title, content, author, createdAt, updatedAt, appliedCount } = board;
  return { id, version, title, content, author, createdAt, updatedAt, appliedCount };
}

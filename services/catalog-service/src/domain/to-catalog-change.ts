import type { BoardEvent } from '@board/contracts';
import type { CatalogBoard } from './catalog-board.ts';

/** What one event does to the catalog. */
export interface CatalogChange {
  readonly board: Omit<CatalogBoard, 'appliedCount'>;
  /** The UTC day on which the board was created, when the event says that it was. */
  readonly createdOn: string | undefined;
}

/** Every event carries the full state, so the change does not depend on what is stored. */
export function toCatalogChange({ type, data }: BoardEvent): CatalogChange {
  const createdAt = new Date(data.createdAt);
  return {
    board: {
      id: data.id,
      version: data.version,
      title: data.title,
      content: data.content,
      author: data.author,
      createdAt,
      updatedAt: new Date(data.updatedAt),
      deletedAt: type === 'BoardDeleted' ? new Date(data.deletedAt) : null,
    },
    createdOn: type === 'BoardCreated' ? createdAt.toISOString().slice(0, 10) : undefined,
  };
}

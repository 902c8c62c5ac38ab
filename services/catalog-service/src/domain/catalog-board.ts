import type { BoardEvent } from '@board/contracts';

/** A board as the catalog knows it. */
export interface CatalogBoard {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
  /** How many events were applied: grows by one with each, so a double application is visible. */
  readonly appliedCount: number;
}

/** Boards created on one day, UTC. */
export interface CreatedPerDay {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly created: number;
}

/** What one event does to the catalog. */
export interface CatalogChange {
  readonly board: Omit<CatalogBoard, 'appliedCount'>;
  /** The UTC day on which the board was created, when the event says that it was. */
  readonly createdOn: string | undefined;
}

/** The change that an event makes; it has the full state, so no stored row is needed. */
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

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
  /** How many events were applied: grows by one with each, so a double apply shows. */
  readonly appliedCount: number;
}

/** Boards created on one day, UTC. */
export interface CreatedPerDay {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly created: number;
}

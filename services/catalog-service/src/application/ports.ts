import type { CatalogBoard, CreatedPerDay } from '../domain/catalog-board.ts';
import type { CatalogChange } from '../domain/to-catalog-change.ts';

/** Writes inside a transaction `Tx` that belongs to the inbox. */
export interface CatalogWriter<Tx> {
  /** Applies the changes in order; not idempotent, once is the inbox's promise. */
  apply(tx: Tx, changes: readonly CatalogChange[]): Promise<void>;
}

export interface CatalogReader {
  /** Throws UnavailableError when the database cannot be asked now; so do the others. */
  find(id: string): Promise<CatalogBoard | undefined>;
  /** Boards that are not deleted, by id, which is by time of creation; those after `after`. */
  list(after: string, limit: number): Promise<readonly CatalogBoard[]>;
  /** Newest day first. */
  createdPerDay(limit: number): Promise<readonly CreatedPerDay[]>;
}

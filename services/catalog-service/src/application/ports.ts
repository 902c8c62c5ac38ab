import type { CatalogBoard, CreatedPerDay } from '../domain/catalog-board.ts';
import type { CatalogChange } from '../domain/to-catalog-change.ts';

/** Writes inside a transaction `Tx` that belongs to the inbox. */
export interface CatalogWriter<Tx> {
  /** Applies the changes in order; not idempotent, once is the inbox's promise. */
  apply(tx: Tx, changes: readonly CatalogChange[]): Promise<void>;
}

interface CatalogPage {
  readonly boards: readonly CatalogBoard[];
  /** The id to go on from, or null when this is the last page. */
  readonly next: string | null;
}

export interface CatalogReader {
  /** Throws UnavailableError when the database cannot be asked now; so do the others. */
  find(id: string): Promise<CatalogBoard | undefined>;
  /**
   * Boards that are not deleted, by id, which is by time of creation; those after `after`, at most
   * `limit` and fewer when they are long.
   */
  list(after: string, limit: number): Promise<CatalogPage>;
  /** Newest day first. */
  createdPerDay(limit: number): Promise<readonly CreatedPerDay[]>;
}

import type { Board } from '../domain/board.ts';

interface BoardPage {
  readonly boards: readonly Board[];
  /** The id to go on from, or null when this is the last page. */
  readonly next: string | null;
}

export interface BoardReader {
  /** Deleted ones too. Throws UnavailableError when the database cannot be asked now. */
  find(id: string): Promise<Board | undefined>;
  /**
   * Newest first, without deleted ones, at most `limit` and fewer when they are long; `before` is
   * the `next` of the page before.
   */
  list(page: { readonly before?: string | undefined; readonly limit: number }): Promise<BoardPage>;
}

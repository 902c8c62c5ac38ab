import { must } from '@board/service';

/** A row that a page may hold, before its texts are read. */
export interface PageCandidate {
  readonly id: string;
  readonly bytes: number | string;
}

/** The ids of one page, in the order of the rows found. */
export interface PageCut {
  readonly ids: readonly string[];
  /** The id to go on from, or null when this is the last page. */
  readonly next: string | null;
}

/**
 * A page of a hundred rows of full length would be many MiB, held for as long as a client takes to
 * read it.
 */
const pageBytes = 512 * 1024;

/**
 * A page of at most `limit` rows, fewer when they are long; `found` holds one more than asked for
 * if there is one. Decided on the sizes alone, so that nothing is read that no page will hold.
 * Never empty while there is a row: paging must get on.
 */
export function cutPage(found: readonly PageCandidate[], limit: number): PageCut {
  let sum = 0;
  const end = found.findIndex(
    ({ bytes }, index) =>
      index >= limit ||
      ((sum += must(Number(bytes), `the size of row ${found[index]?.id}`)) > pageBytes &&
        index > 0),
  );
  const ids = (end === -1 ? found : found.slice(0, end)).map(({ id }) => id);
  return { ids, next: found.length > ids.length ? (ids.at(-1) ?? null) : null };
}

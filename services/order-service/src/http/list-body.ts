import type { Board } from '../domain/board.ts';
import { boardBody } from './board-body.ts';
import { boardCursor } from './board-cursor.ts';

interface ListBody {
  readonly boards: readonly Record<string, unknown>[];
  /** The cursor of the next page, or null when this is the last one. */
  readonly next: string | null;
}

/** A hundred boards of full length would be a page of 6 MiB, held for as long as a client takes to read it. */
const pageCharacters = 512 * 1024;

/** A page of at most `limit` boards, fewer when they are long; one more that was found says that there is a next page. */
export function listBody(found: readonly Board[], limit: number): ListBody {
  const page = cutPage(found.slice(0, limit));
  const last = page.at(-1);
  return { boards: page.map(boardBody), next: found.length > page.length && last ? boardCursor.of(last.id) : null };
}

/** Never empty while there is a board: who pages on must get on. */
function cutPage(boards: readonly Board[]): readonly Board[] {
  let characters = 0;
  const end = boards.findIndex(({ content }) => (characters += content.length) > pageCharacters);
  return end === -1 ? boards : boards.slice(0, Math.max(end, 1));
}

import type { Board } from '../domain/board.ts';
import { boardBody } from './board-body.ts';
import { boardCursor } from './board-cursor.ts';

interface ListBody {
  readonly boards: readonly Record<string, unknown>[];
  /** The cursor of the next page, or null when this is the last one. */
  readonly next: string | null;
}

/** A page of at most `limit` boards; one more that was found says that there is a next page. */
export function listBody(found: readonly Board[], limit: number): ListBody {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { boards: page.map(boardBody), next: found.length > limit && last ? boardCursor.of(last.id) : null };
}

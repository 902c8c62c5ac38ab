import type { BoardText } from './check-board-text.ts';
import type { Board } from './board.ts';

/** A new board; its text has passed `checkBoardText`. */
export function createBoard(text: BoardText, id: string, now: Date): Board {
  const { title, content, author } = text;
  return { id, version: 1, title, content, author, createdAt: now, updatedAt: now };
}

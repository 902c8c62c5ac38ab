import type { BoardText } from './check-board-text.ts';

/** A board as its writer left it; `version` counts its changes from 1. */
export interface Board {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Deleted boards stay as rows: their versions are what the audit compares. */
  readonly deletedAt: Date | null;
}

/** A new board; its text has passed `checkBoardText`. */
export function createBoard(id: string, { title, content, author }: BoardText, now: Date): Board {
  return {
    id,
    version: 1,
    title,
    content,
    author,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  };
}

/** What is not given stays as it is. */
export function editBoard(
  board: Board,
  {
    title = board.title,
    content = board.content,
  }: { readonly title?: string | undefined; readonly content?: string | undefined },
  now: Date,
): Board {
  return { ...board, version: board.version + 1, title, content, updatedAt: notBefore(board, now) };
}

export function deleteBoard(board: Board, now: Date): Board {
  const deletedAt = notBefore(board, now);
  return { ...board, version: board.version + 1, updatedAt: deletedAt, deletedAt };
}

/** Instances have clocks of their own: a board's time does not run backwards. */
function notBefore({ updatedAt }: Board, now: Date): Date {
  return now < updatedAt ? updatedAt : now;
}

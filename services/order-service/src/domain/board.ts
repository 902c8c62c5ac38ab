import { findUnstorable, isLonger, type Violation } from './check-text.ts';

/** Lengths in code points, as MySQL counts characters; the content in bytes of UTF-8. */
export const boardLimits = {
  titleCodePoints: 200,
  contentBytes: 65_536,
  authorCodePoints: 100,
} as const;

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

/** What a client may choose of a board; not checked yet. */
export interface BoardText {
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
}

/** Every rule that the text breaks; nothing is trimmed or normalised. */
export function checkBoardText({ title, content, author }: BoardText): readonly Violation[] {
  const { titleCodePoints, contentBytes, authorCodePoints } = boardLimits;
  const violations: Violation[] = [];
  const refuse = (field: keyof BoardText, wants: string): void =>
    void violations.push({ field, wants });

  if (title === '' || isLonger(title, titleCodePoints))
    refuse('title', `1 to ${titleCodePoints} characters`);
  if (Buffer.byteLength(content) > contentBytes)
    refuse('content', `at most ${contentBytes} bytes of UTF-8`);
  // An empty author would be one partition key for all boards that have it.
  if (author === '' || (author !== null && isLonger(author, authorCodePoints))) {
    refuse('author', `1 to ${authorCodePoints} characters, or no author`);
  }
  return [...violations, ...findUnstorable({ title, content, author: author ?? '' })];
}

/** A new board at version 1; its text must have passed `checkBoardText`. */
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

/** The next version of the board; a text that is not given stays as it is. */
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

/** The next version of the board, marked as deleted. */
export function deleteBoard(board: Board, now: Date): Board {
  const deletedAt = notBefore(board, now);
  return { ...board, version: board.version + 1, updatedAt: deletedAt, deletedAt };
}

/** The clocks of the instances differ: the time of a board must not run backwards. */
function notBefore({ updatedAt }: Board, now: Date): Date {
  return now < updatedAt ? updatedAt : now;
}

import type { Board } from '../domain/board.ts';

/** A board as clients see it; times in ISO 8601, UTC, milliseconds. */
export function boardBody(board: Board): Record<string, unknown> {
  const { id, version, title, content, author, createdAt, updatedAt } = board;
  return {
    id,
    version,
    title,
    content,
    author,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

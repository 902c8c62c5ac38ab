import type { Answer } from '../application/commands.ts';
import type { Board } from '../domain/board.ts';
import { versionEtag } from './tokens.ts';

const json = { 'Content-Type': 'application/json; charset=utf-8' } as const;

/** What a client is told about a change that was made. */
export const boardAnswers = {
  created: (board: Board): Answer => ({
    status: 201,
    headers: { ...json, Location: `/boards/${board.id}`, ETag: versionEtag.of(board.version) },
    body: JSON.stringify(boardBody(board)),
  }),

  edited: (board: Board): Answer => ({
    status: 200,
    headers: { ...json, ETag: versionEtag.of(board.version) },
    body: JSON.stringify(boardBody(board)),
  }),

  deleted: (): Answer => ({ status: 204, headers: {}, body: '' }),
} as const;

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

import { Problem } from '@board/service';
import type { Answer, Refusal } from '../application/commands.ts';
import type { Board } from '../domain/board.ts';
import { boardEtag } from './board-tokens.ts';

const json = { 'Content-Type': 'application/json; charset=utf-8' } as const;

/** What a client is told about a change that was made. */
export const boardAnswers = {
  created: (board: Board): Answer => ({
    status: 201,
    headers: { ...json, Location: `/boards/${board.id}`, ETag: boardEtag.of(board.version) },
    body: JSON.stringify(boardBody(board)),
  }),

  edited: (board: Board): Answer => ({
    status: 200,
    headers: { ...json, ETag: boardEtag.of(board.version) },
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

/** What a client is told whose command was refused. */
export function toProblem(refusal: Refusal): Problem {
  switch (refusal.kind) {
    case 'invalid':
      return new Problem(422, { detail: 'The board breaks a rule.', errors: refusal.violations });
    case 'missing':
      return new Problem(404, { detail: 'There is no board with this id.' });
    case 'deleted':
      return new Problem(410, { detail: 'This board was deleted.' });
    case 'stale':
      return new Problem(412, {
        detail: `The board is at version ${refusal.version}, which If-Match does not name.`,
        headers: { ETag: boardEtag.of(refusal.version) },
      });
    case 'key-running':
      return new Problem(409, {
        detail: 'A request with this Idempotency-Key is still running; ask again for its answer.',
        headers: { 'Retry-After': '1' },
      });
    case 'key-reused':
      return new Problem(422, {
        detail: 'This Idempotency-Key was used for another request.',
        errors: [{ field: 'Idempotency-Key', wants: 'a new key for a new request' }],
      });
  }
}

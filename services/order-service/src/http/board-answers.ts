import type { Answer } from '../application/commands.ts';
import type { Board } from '../domain/board.ts';
import { boardBody } from './board-body.ts';
import { boardEtag } from './board-etag.ts';

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

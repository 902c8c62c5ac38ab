// Flow 1/9: HTTP request becomes a command
import { createHash } from 'node:crypto';
import Router from '@koa/router';
import { answerInTime, answerWithEtag, readRequest, type ServiceRouter } from '@board/service';
import type { BoardCommand } from '../application/board-commands.ts';
import type { BoardReader } from '../application/board-reader.ts';
import type { Board } from '../domain/board.ts';
import { answerCommand, type CommandEdge } from './answer-command.ts';
import { boardAnswers, boardBody } from './board-answers.ts';
import {
  bodyLimitBytes,
  createBoardRequest,
  deleteBoardRequest,
  editBoardRequest,
  findBoardRequest,
  listBoardsRequest,
} from './board-requests.ts';
import { toProblem } from './problems.ts';
import { idCursor, versionEtag } from './tokens.ts';

const patchTypes = ['application/json', 'application/merge-patch+json'] as const;

/** Boards over HTTP: `/boards` and `/boards/:id`. */
export function boardsRouter(
  commands: CommandEdge<BoardCommand, Board>,
  boards: BoardReader,
): ServiceRouter {
  const router: ServiceRouter = new Router();
  const bodyOptions = { limitBytes: bodyLimitBytes, timeLimitMs: commands.bodyDeadlineMs };
  const readDeadline = {
    deadlineMs: commands.requestDeadlineMs,
    detail: 'The request takes too long; ask again.',
  };

  router.post('/boards', async (ctx) => {
    const { header, body } = await readRequest(ctx, createBoardRequest, bodyOptions);
    const command = { kind: 'create', ...body, author: body.author ?? null } as const;
    await answerCommand(ctx, commands, command, {
      idempotencyKey: header['Idempotency-Key'],
      answer: boardAnswers.created,
    });
  });

  router.patch('/boards/:id', async (ctx) => {
    const { path, header, body } = await readRequest(ctx, editBoardRequest, {
      ...bodyOptions,
      types: patchTypes,
    });
    const command = {
      kind: 'edit',
      boardId: path.id,
      ...body,
      ifVersions: versionEtag.versions(header['If-Match']),
    } as const;
    await answerCommand(ctx, commands, command, {
      idempotencyKey: header['Idempotency-Key'],
      answer: boardAnswers.edited,
    });
  });

  router.delete('/boards/:id', async (ctx) => {
    const { path, header } = await readRequest(ctx, deleteBoardRequest);
    const command = {
      kind: 'delete',
      boardId: path.id,
      ifVersions: versionEtag.versions(header['If-Match']),
    } as const;
    await answerCommand(ctx, commands, command, {
      idempotencyKey: header['Idempotency-Key'],
      answer: boardAnswers.deleted,
    });
  });

  router.get('/boards/:id', async (ctx) => {
    const { path, header } = await readRequest(ctx, findBoardRequest);
    const board = await answerInTime(ctx, readDeadline, boards.find(path.id));
    if (!board) throw toProblem('board', { kind: 'missing' });
    if (board.deletedAt) throw toProblem('board', { kind: 'deleted' });
    const etag = versionEtag.of(board.version);
    answerWithEtag(ctx, {
      etag,
      ifNoneMatch: header['If-None-Match'],
      body: () => boardBody(board),
    });
  });

  router.get('/boards', async (ctx) => {
    const { query, header } = await readRequest(ctx, listBoardsRequest);
    const { limit, cursor: before } = query;
    const page = await answerInTime(ctx, readDeadline, boards.list({ before, limit }));
    const next = page.next === null ? null : idCursor.of(page.next);
    const body = JSON.stringify({ boards: page.boards.map(boardBody), next });
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    if (next !== null) ctx.set('Link', `</boards?limit=${limit}&cursor=${next}>; rel="next"`);
    ctx.type = 'application/json';
    answerWithEtag(ctx, { etag, ifNoneMatch: header['If-None-Match'], body: () => body });
  });

  return router;
}

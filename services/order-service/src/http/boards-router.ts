// Flow 1/9: HTTP request becomes a command
import { createHash } from 'node:crypto';
import Router from '@koa/router';
import {
  answerInTime,
  answerWithEtag,
  Problem,
  readRequest,
  type ServiceContext,
  type ServiceRouter,
} from '@board/service';
import type { BoardCommand } from '../application/board-commands.ts';
import type { Answer, BoardReader } from '../application/ports.ts';
import type { Board } from '../domain/board.ts';
import { answerCommand, toProblem, type CommandEdge } from './answer-command.ts';
import {
  bodyLimitBytes,
  createBoardRequest,
  deleteBoardRequest,
  editBoardRequest,
  findBoardRequest,
  idCursor,
  legacyRequest,
  listBoardsRequest,
  versionEtag,
} from './requests.ts';

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
      answer: created,
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
      answer: edited,
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
      answer: deleted,
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

/** `GET /?title=..&content=..` creates a board: the older way, kept for the clients that use it. */
export function legacyRouter(commands: CommandEdge<BoardCommand, Board>): ServiceRouter {
  const router: ServiceRouter = new Router();
  router.get('/', async (ctx) => {
    refuseUnintended(ctx);
    ctx.set('Cache-Control', 'no-store');
    const { query, header } = await readRequest(ctx, legacyRequest);
    const command = { kind: 'create', ...query, author: query.author ?? null } as const;
    await answerCommand(ctx, commands, command, {
      idempotencyKey: header['Idempotency-Key'],
      answer: created,
    });
  });
  return router;
}

/** A link or an image on another site must not post boards in a visitor's name, nor a prefetch. */
function refuseUnintended(ctx: ServiceContext): void {
  // @koa/router sends HEAD here too.
  if (ctx.method === 'HEAD')
    throw new Problem(405, { detail: 'This path takes GET.', headers: { Allow: 'GET' } });
  const site = ctx.get('sec-fetch-site');
  if (!['', 'same-origin', 'none'].includes(site) || ctx.get('sec-purpose') !== '') {
    throw new Problem(403, { detail: 'Other sites cannot post boards here; use POST /boards.' });
  }
}

const json = { 'Content-Type': 'application/json; charset=utf-8' } as const;

function created(board: Board): Answer {
  return {
    status: 201,
    headers: { ...json, Location: `/boards/${board.id}`, ETag: versionEtag.of(board.version) },
    body: JSON.stringify(boardBody(board)),
  };
}

function edited(board: Board): Answer {
  return {
    status: 200,
    headers: { ...json, ETag: versionEtag.of(board.version) },
    body: JSON.stringify(boardBody(board)),
  };
}

function deleted(): Answer {
  return { status: 204, headers: {}, body: '' };
}

/** A board as clients see it; times in ISO 8601, UTC, milliseconds. */
function boardBody(board: Board): Record<string, unknown> {
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

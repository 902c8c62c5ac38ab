import Router from '@koa/router';
import {
  answerInTime,
  answerWithEtag,
  readRequest,
  requestFields,
  type ServiceRouter,
} from '@board/service';
import { z } from 'zod';
import type { CommentCommand } from '../application/comment-commands.ts';
import type { Answer, Refusal } from '../application/ports.ts';
import { commentLimits, type Comment } from '../domain/comment.ts';
import { answerCommand, toProblem, type CommandEdge } from './answer-command.ts';
import { bodyLimitBytes, idempotencyKey, ifMatch, versionEtag } from './requests.ts';

const { textBytes, authorCodePoints } = commentLimits;
const uuid = (description: string) =>
  requestFields.uuid().meta({ description, example: '019b0000-0000-7000-8000-000000000001' });
const header = z.object({ 'Idempotency-Key': idempotencyKey });

export const addCommentRequest = z.object({
  path: z.object({ id: uuid('The id of the board.') }),
  header,
  body: z
    .strictObject(
      {
        text: z.string({ error: 'a text' }).meta({
          minLength: 1,
          description: `At most ${textBytes} bytes of UTF-8.`,
          example: 'Well said',
        }),
        author: z
          .string({ error: 'a text, or no author' })
          .meta({ minLength: 1, maxLength: authorCodePoints, example: 'Lee' })
          .nullish(),
      },
      { error: 'a JSON object with text and perhaps author' },
    )
    .meta({ id: 'AddComment' }),
});

const path = z.object({ id: uuid('The id of the comment.') });
export const removeCommentRequest = z.object({
  path,
  header: z.object({ 'If-Match': ifMatch, 'Idempotency-Key': idempotencyKey }),
});
export const findCommentRequest = z.object({
  path,
  header: z.object({
    'If-None-Match': requestFields
      .entityTags()
      .meta({ description: 'What the client has: 304 if it is current.' }),
  }),
});

/**
 * Why a board takes no comment. A repeat of a request that was carried out still gets its first
 * answer.
 */
const refusals = {
  live: undefined,
  missing: { kind: 'missing', what: 'board' },
  deleted: { kind: 'deleted', what: 'board' },
} as const satisfies Record<string, Refusal | undefined>;

/** Comments over HTTP: `/boards/:id/comments` and `/comments/:id`. */
export function commentsRouter(
  commands: CommandEdge<CommentCommand, Comment>,
  findBoard: (id: string) => Promise<keyof typeof refusals>,
  findComment: (id: string) => Promise<Comment | undefined>,
): ServiceRouter {
  const router: ServiceRouter = new Router();
  const bodyOptions = { limitBytes: bodyLimitBytes, timeLimitMs: commands.bodyDeadlineMs };
  const readDeadline = {
    deadlineMs: commands.requestDeadlineMs,
    detail: 'The request takes too long; ask again.',
  };

  router.post('/boards/:id/comments', async (ctx) => {
    const { path, header, body } = await readRequest(ctx, addCommentRequest, bodyOptions);
    const command = {
      kind: 'add-comment',
      boardId: path.id,
      text: body.text,
      author: body.author ?? null,
    } as const;
    await answerCommand(ctx, commands, command, {
      idempotencyKey: header['Idempotency-Key'],
      // Without a lock: the row of a board is never removed, and a board that is being deleted may
      // get a last comment.
      findRefusal: async () => refusals[await findBoard(path.id)],
      answer: added,
    });
  });

  router.delete('/comments/:id', async (ctx) => {
    const { path, header } = await readRequest(ctx, removeCommentRequest);
    const ifVersions = versionEtag.versions(header['If-Match']);
    const command = { kind: 'remove-comment', commentId: path.id, ifVersions } as const;
    await answerCommand(ctx, commands, command, {
      idempotencyKey: header['Idempotency-Key'],
      answer: removed,
    });
  });

  router.get('/comments/:id', async (ctx) => {
    const { path, header } = await readRequest(ctx, findCommentRequest);
    const comment = await answerInTime(ctx, readDeadline, findComment(path.id));
    if (!comment) throw toProblem('comment', { kind: 'missing' });
    if (comment.deletedAt) throw toProblem('comment', { kind: 'deleted' });
    const etag = versionEtag.of(comment.version);
    answerWithEtag(ctx, {
      etag,
      ifNoneMatch: header['If-None-Match'],
      body: () => commentBody(comment),
    });
  });

  return router;
}

function added(comment: Comment): Answer {
  return {
    status: 201,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      Location: `/comments/${comment.id}`,
      ETag: versionEtag.of(comment.version),
    },
    body: JSON.stringify(commentBody(comment)),
  };
}

function removed(): Answer {
  return { status: 204, headers: {}, body: '' };
}

function commentBody({
  id,
  version,
  boardId,
  text,
  author,
  createdAt,
}: Comment): Record<string, unknown> {
  return { id, version, boardId, text, author, createdAt: createdAt.toISOString() };
}

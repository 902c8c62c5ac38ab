import { readRequest, requestFields, type ServiceRouter } from '@board/service';
import Router from '@koa/router';
import { z } from 'zod';
import type { CommentReader } from '../application/comment-handler.ts';

const listRequest = z.object({
  path: z.object({ id: requestFields.uuid() }),
  query: z.strictObject({
    limit: requestFields.limit({ preset: 50, max: 200 }),
    after: requestFields.uuid().optional(),
  }),
});

/** `GET /boards/:id/comments?limit&after`: how many there are, and a page of them, oldest first. */
export function commentsRouter(reader: CommentReader): ServiceRouter {
  const router: ServiceRouter = new Router();

  router.get('/boards/:id/comments', async (ctx) => {
    const { path, query } = await readRequest(ctx, listRequest);
    const { limit, after = '' } = query;
    const { count, comments, next } = await reader.list(path.id, after, limit);
    ctx.body = {
      boardId: path.id,
      count,
      comments: comments.map(({ id, text, author, createdAt }) => ({
        id,
        text,
        author,
        createdAt,
      })),
      next,
    };
  });

  return router;
}

import type { Database } from '@board/mysql';
import { readRequest, requestFields, type ServiceRouter } from '@board/service';
import Router from '@koa/router';
import { z } from 'zod';

const listRequest = z.object({
  path: z.object({ id: requestFields.uuid() }),
  query: z.strictObject({
    limit: requestFields.limit({ preset: 50, max: 200 }),
    after: requestFields.uuid().optional(),
  }),
});

interface Row {
  readonly id: string;
  readonly text: string;
  readonly author: string | null;
  readonly created_at: Date;
}

/** `GET /boards/:id/comments?limit&after`: how many there are, and a page of them, oldest first. */
export function commentsRouter(database: Database): ServiceRouter {
  const router: ServiceRouter = new Router();

  router.get('/boards/:id/comments', async (ctx) => {
    const { path, query } = await readRequest(ctx, listRequest);
    const { limit, after = '' } = query;
    const { rows, count } = await database.read(async (manager) => {
      // One more than asked for tells whether there is a next page. An id is by its time of
      // creation.
      const rows: Row[] = await manager.query(
        'SELECT id, text, author, created_at FROM comment WHERE board_id = ? AND id > ? ORDER BY id LIMIT ?',
        [path.id, after, limit + 1],
      );
      const [total]: { comments: number }[] = await manager.query(
        'SELECT comments FROM comments_per_board WHERE board_id = ?',
        [path.id],
      );
      return { rows, count: total?.comments ?? 0 };
    });
    const page = rows.slice(0, limit);
    ctx.body = {
      boardId: path.id,
      count,
      comments: page.map(({ id, text, author, created_at: at }) => ({
        id,
        text,
        author,
        createdAt: at.toISOString(),
      })),
      next: rows.length > limit ? page.at(-1)?.id : null,
    };
  });

  return router;
}

import {
  answerWithEtag,
  Problem,
  readRequest,
  requestFields,
  type ServiceRouter,
} from '@board/service';
import Router from '@koa/router';
import { z } from 'zod';
import type { CatalogReader } from '../application/board-handler.ts';
import type { CatalogBoard } from '../domain/catalog-board.ts';

const limit = requestFields.limit({ preset: 50, max: 200 });
const findRequest = z.object({
  path: z.object({ id: requestFields.uuid() }),
  header: z.object({ 'If-None-Match': requestFields.entityTags() }),
});
const listRequest = z.object({
  query: z.strictObject({ limit, after: requestFields.uuid().optional() }),
});
const daysRequest = z.object({ query: z.strictObject({ limit }) });

/** `GET /catalog/:id`, `GET /catalog?limit&after` and `GET /created-per-day?limit`. */
export function catalogRouter(catalog: CatalogReader): ServiceRouter {
  const router: ServiceRouter = new Router();

  router.get('/catalog/:id', async (ctx) => {
    const { path, header } = await readRequest(ctx, findRequest);
    const board = await catalog.find(path.id);
    if (!board)
      throw new Problem(404, { detail: 'The catalog has no board with this id, or not yet.' });
    if (board.deletedAt) throw new Problem(410, { detail: 'This board was deleted.' });
    // The version alone is not enough: a rebuilt catalog counts again.
    const etag = `"${board.version}.${board.appliedCount}"`;
    answerWithEtag(ctx, {
      etag,
      ifNoneMatch: header['If-None-Match'],
      body: () => catalogBody(board),
    });
  });

  router.get('/catalog', async (ctx) => {
    const { limit, after = '' } = (await readRequest(ctx, listRequest)).query;
    const { boards, next } = await catalog.list(after, limit);
    ctx.body = { boards: boards.map(catalogBody), next };
  });

  router.get('/created-per-day', async (ctx) => {
    const { limit } = (await readRequest(ctx, daysRequest)).query;
    ctx.body = { days: await catalog.createdPerDay(limit) };
  });

  return router;
}

/** A board as the API shows it; times are ISO 8601 in UTC. */
function catalogBody(board: CatalogBoard): Record<string, unknown> {
  const { id, version, title, content, author, createdAt, updatedAt, appliedCount } = board;
  return { id, version, title, content, author, createdAt, updatedAt, appliedCount };
}

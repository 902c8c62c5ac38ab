import { Problem, type ServiceContext, type ServiceRouter } from '@board/service-kit';
import Router from '@koa/router';
import type { CatalogReader } from '../application/ports.ts';
import { catalogBody } from './catalog-body.ts';

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const maxLimit = 200;
const defaultLimit = 50;

/** `GET /catalog/:id`, `GET /catalog?limit&after` and `GET /created-per-day?limit`. */
export function catalogRouter(catalog: CatalogReader): ServiceRouter {
  const router: ServiceRouter = new Router();

  router.get('/catalog/:id', async (ctx) => {
    const board = await catalog.find(readId('id', String(ctx['params']['id'])));
    if (!board) throw new Problem(404, { detail: 'The catalog has no board with this id, or not yet.' });
    if (board.deletedAt) throw new Problem(410, { detail: 'This board was deleted.' });
    ctx.body = catalogBody(board);
  });

  router.get('/catalog', async (ctx) => {
    const limit = readLimit(ctx);
    const after = readOnce(ctx, 'after');
    const boards = await catalog.list(after === undefined ? '' : readId('after', after), limit);
    ctx.body = { boards: boards.map(catalogBody), next: boards.length === limit ? boards.at(-1)?.id : null };
  });

  router.get('/created-per-day', async (ctx) => {
    ctx.body = { days: await catalog.createdPerDay(readLimit(ctx)) };
  });

  return router;
}

function readId(field: string, text: string): string {
  const id = text.toLowerCase();
  if (uuidShape.test(id)) return id;
  throw new Problem(400, { detail: 'The id cannot be one of a board.', errors: [{ field, wants: 'a UUID' }] });
}

function readLimit(ctx: ServiceContext): number {
  const text = readOnce(ctx, 'limit') ?? String(defaultLimit);
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxLimit) return limit;
  throw new Problem(400, {
    detail: 'The limit does not fit.',
    errors: [{ field: 'limit', wants: `a number from 1 to ${maxLimit}` }],
  });
}

function readOnce(ctx: ServiceContext, field: string): string | undefined {
  const value = ctx.query[field];
  if (Array.isArray(value))
    throw new Problem(400, { detail: 'A parameter is repeated.', errors: [{ field, wants: 'to be there once' }] });
  return value;
}

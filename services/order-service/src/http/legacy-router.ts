import Router from '@koa/router';
import { Problem, type ServiceContext, type ServiceRouter } from '@board/service-kit';
import type { HandleCommand } from '../application/commands.ts';
import { answerCreated } from './answer-created.ts';
import { parseCreateBoard } from './parse-create-board.ts';

/** `GET /?title=..&content=..` creates a board: not what GET is for, kept for those who know the system by it. */
export function legacyRouter(handle: HandleCommand): ServiceRouter {
  const router: ServiceRouter = new Router();
  router.get('/', async (ctx) => {
    refuseUnintended(ctx);
    ctx.set('Cache-Control', 'no-store');
    await answerCreated(ctx, handle, parseCreateBoard(readQuery(ctx)));
  });
  return router;
}

/** A link or an image on another site must not post boards in a visitor's name, nor may a look ahead. */
function refuseUnintended(ctx: ServiceContext): void {
  // @koa/router sends HEAD here too.
  if (ctx.method === 'HEAD') throw new Problem(405, { detail: 'This path takes GET.', headers: { Allow: 'GET' } });
  const site = ctx.get('sec-fetch-site');
  if (!['', 'same-origin', 'none'].includes(site) || ctx.get('sec-purpose') !== '') {
    throw new Problem(403, { detail: 'Other sites cannot post boards here; use POST /boards.' });
  }
}

function readQuery(ctx: ServiceContext): Record<string, unknown> {
  try {
    // Koa's own parser replaces bytes that are not UTF-8.
    decodeURIComponent(ctx.querystring);
  } catch (cause) {
    throw new Problem(400, { detail: 'The query is not valid UTF-8 in percent-encoding.', cause });
  }
  return { ...ctx.query };
}

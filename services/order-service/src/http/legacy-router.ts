import Router from '@koa/router';
import { Problem, readRequest, type ServiceContext, type ServiceRouter } from '@board/service';
import type { BoardCommand } from '../application/board-commands.ts';
import type { Board } from '../domain/board.ts';
import { answerCommand, type CommandEdge } from './answer-command.ts';
import { boardAnswers } from './board-answers.ts';
import { legacyRequest } from './board-requests.ts';

/**
 * `GET /?title=..&content=..` creates a board: not what GET is for, kept for those who know the
 * system by it.
 */
export function legacyRouter(commands: CommandEdge<BoardCommand, Board>): ServiceRouter {
  const router: ServiceRouter = new Router();
  router.get('/', async (ctx) => {
    refuseUnintended(ctx);
    ctx.set('Cache-Control', 'no-store');
    const { query, header } = await readRequest(ctx, legacyRequest);
    const command = { kind: 'create', ...query, author: query.author ?? null } as const;
    await answerCommand(ctx, commands, command, {
      idempotencyKey: header['Idempotency-Key'],
      answer: boardAnswers.created,
    });
  });
  return router;
}

/**
 * A link or an image on another site must not post boards in a visitor's name, nor may a look
 * ahead.
 */
function refuseUnintended(ctx: ServiceContext): void {
  // @koa/router sends HEAD here too.
  if (ctx.method === 'HEAD')
    throw new Problem(405, { detail: 'This path takes GET.', headers: { Allow: 'GET' } });
  const site = ctx.get('sec-fetch-site');
  if (!['', 'same-origin', 'none'].includes(site) || ctx.get('sec-purpose') !== '') {
    throw new Problem(403, { detail: 'Other sites cannot post boards here; use POST /boards.' });
  }
}

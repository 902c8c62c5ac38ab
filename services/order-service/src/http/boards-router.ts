// Flow 1/9: HTTP request becomes a command
import Router from '@koa/router';
import { Problem, readJsonBody, type ServiceContext, type ServiceRouter } from '@board/service-kit';
import type { HandleCommand } from '../application/commands.ts';
import type { BoardReader } from '../application/ports.ts';
import { answerCreated } from './answer-created.ts';
import { boardBody } from './board-body.ts';
import { parseCreateBoard } from './parse-create-board.ts';

/** 65,536 bytes of content fit even when each one is escaped as six (`\u0041`). */
const bodyLimitBytes = 448 * 1024;

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `POST /boards` and `GET /boards/:id`. */
export function boardsRouter(handle: HandleCommand, boards: BoardReader): ServiceRouter {
  const router: ServiceRouter = new Router();

  router.post('/boards', async (ctx) => {
    await answerCreated(ctx, handle, parseCreateBoard(await readJsonBody(ctx, bodyLimitBytes)));
  });

  router.get('/boards/:id', async (ctx) => {
    const board = await boards.find(readId(ctx));
    if (!board) throw new Problem(404, { detail: 'There is no board with this id.' });
    if (board.deletedAt) throw new Problem(410, { detail: 'This board was deleted.' });
    ctx.body = boardBody(board);
  });

  return router;
}

function readId(ctx: ServiceContext): string {
  const id = String(ctx['params']['id']).toLowerCase();
  if (uuidShape.test(id)) return id;
  throw new Problem(400, { detail: 'The id cannot be one of a board.', errors: [{ field: 'id', wants: 'a UUID' }] });
}

import { Problem, type ServiceContext } from '@board/service-kit';
import type { CreateBoardResult } from '../application/handle-create-board.ts';
import { boardBody } from './board-body.ts';

/** 201 with the board and its Location, or 422 with the fields that broke a rule. */
export function answerCreated(ctx: ServiceContext, result: CreateBoardResult): void {
  if (result.kind === 'refused') {
    throw new Problem(422, { detail: 'The board breaks a rule.', errors: result.violations });
  }
  ctx.state.logger.info({ event: 'board.created', boardId: result.board.id });
  ctx.status = 201;
  ctx.set('Location', `/boards/${result.board.id}`);
  ctx.body = boardBody(result.board);
}

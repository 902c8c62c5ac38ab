import { Problem, type ServiceContext } from '@board/service-kit';
import type { Answer, BoardResult, CreateBoard, HandleCommand } from '../application/commands.ts';
import type { Board } from '../domain/board.ts';
import { boardBody } from './board-body.ts';
import { parseTraceparent } from './parse-traceparent.ts';

/** 201 with the board and its Location, or 422 with the fields that broke a rule. */
export async function answerCreated(ctx: ServiceContext, handle: HandleCommand, command: CreateBoard): Promise<void> {
  const traceparent = parseTraceparent(ctx.get('traceparent'));
  const { status, headers, body } = send(ctx, await handle(command, { traceparent, answer: created }));
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = body;
}

function created(board: Board): Answer {
  return {
    status: 201,
    headers: { 'Content-Type': 'application/json; charset=utf-8', Location: `/boards/${board.id}` },
    body: JSON.stringify(boardBody(board)),
  };
}

function send(ctx: ServiceContext, result: BoardResult): Answer {
  if (result.kind === 'refused') {
    const errors = result.refusal.kind === 'invalid' ? result.refusal.violations : [];
    throw new Problem(422, { detail: 'The board breaks a rule.', errors });
  }
  if (result.kind === 'done') ctx.state.logger.info({ event: 'board.created', boardId: result.board.id });
  return result.answer;
}

import type { BoardEvent } from '@board/contracts';
import { answerInTime, type ServiceContext } from '@board/service';
import type { Answer, BoardCommand, BoardResult, CommandContext, HandleCommand } from '../application/commands.ts';
import { toProblem } from './board-answers.ts';

export interface CommandEdge {
  readonly handle: HandleCommand;
  /** From the command to its answer. */
  readonly requestDeadlineMs: number;
  /** For the last byte of a body. */
  readonly bodyDeadlineMs: number;
}

/** What the route adds to a command. */
export interface Asked {
  readonly idempotencyKey: string | undefined;
  readonly answer: CommandContext['answer'];
}

const unknownOutcome =
  'The request takes too long, and whether it succeeds is not known. Repeat it with the same Idempotency-Key to learn it; ' +
  'without a key it may be done twice.';

/** Carries a command out and answers; the answer is sent after COMMIT, never before. */
export async function answerCommand(
  ctx: ServiceContext,
  { handle, requestDeadlineMs }: CommandEdge,
  command: BoardCommand,
  { idempotencyKey, answer }: Asked,
): Promise<void> {
  const { traceparent } = ctx.state;
  const handling = handle(command, { traceparent, idempotencyKey, answer }).then((result) => {
    tellCommitted(ctx, command, result);
    return result;
  });
  const result = await answerInTime(ctx, { deadlineMs: requestDeadlineMs, detail: unknownOutcome }, handling);
  if (result.kind === 'refused') throw toProblem(result.refusal);
  if (result.kind === 'repeated') ctx.set('Idempotency-Replayed', 'true');
  send(ctx, result.answer);
}

const eventTypes = { create: 'BoardCreated', edit: 'BoardEdited', delete: 'BoardDeleted' } as const satisfies Record<
  BoardCommand['kind'],
  BoardEvent['type']
>;

/** Also when the client no longer waits for the answer: this line is where a board's timeline begins. */
function tellCommitted(ctx: ServiceContext, { kind }: BoardCommand, result: BoardResult): void {
  if (result.kind !== 'done') return;
  const { logger, traceparent, receivedAt } = ctx.state;
  logger.info({
    event: 'board.committed',
    boardId: result.board.id,
    version: result.board.version,
    eventId: result.eventId,
    eventType: eventTypes[kind],
    traceparent,
    receivedAt: receivedAt.toISOString(),
    committedAt: new Date().toISOString(),
  });
}

/** Byte for byte: a repeat of the request is answered from what was kept of this. */
function send(ctx: ServiceContext, { status, headers, body }: Answer): void {
  ctx.status = status;
  ctx.set({ ...headers });
  if (body !== '') ctx.body = body;
}

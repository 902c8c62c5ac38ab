import { answerInTime, type ServiceContext } from '@board/service';
import type {
  Answer,
  CommandContext,
  CommandResult,
  HandleCommand,
} from '../application/commands.ts';
import { toProblem } from './problems.ts';

export interface CommandEdge<Command, State> {
  /** What a client calls the aggregate: `board`. */
  readonly what: string;
  readonly handle: HandleCommand<Command, State>;
  /** From the command to its answer. */
  readonly requestDeadlineMs: number;
  /** For the last byte of a body. */
  readonly bodyDeadlineMs: number;
}

/** What the route adds to a command. */
export type Asked<State> = Omit<CommandContext<State>, 'traceparent'>;

const unknownOutcome =
  'The request takes too long, and whether it succeeds is not known. Repeat it with the same Idempotency-Key to learn it; ' +
  'without a key it may be done twice.';

/** Carries a command out and answers; the answer is sent after COMMIT, never before. */
export async function answerCommand<Command, State>(
  ctx: ServiceContext,
  { what, handle, requestDeadlineMs }: CommandEdge<Command, State>,
  command: Command,
  asked: Asked<State>,
): Promise<void> {
  const { traceparent } = ctx.state;
  const handling = handle(command, { traceparent, ...asked }).then((result) => {
    tellCommitted(ctx, result);
    return result;
  });
  const result = await answerInTime(
    ctx,
    { deadlineMs: requestDeadlineMs, detail: unknownOutcome },
    handling,
  );
  if (result.kind === 'refused') throw toProblem(what, result.refusal);
  if (result.kind === 'repeated') ctx.set('Idempotency-Replayed', 'true');
  send(ctx, result.answer);
}

/**
 * Also when the client no longer waits for the answer: this line is where an event's timeline
 * begins.
 */
function tellCommitted(ctx: ServiceContext, result: CommandResult): void {
  if (result.kind !== 'done') return;
  const { logger, traceparent, receivedAt } = ctx.state;
  logger.info({
    event: 'event.committed',
    ...result.committed,
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

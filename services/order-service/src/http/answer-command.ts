import { answerInTime, Problem, type ServiceContext } from '@board/service';
import type {
  Answer,
  CommandContext,
  CommandResult,
  HandleCommand,
  Refusal,
} from '../application/ports.ts';
import { versionEtag } from './requests.ts';

/** What the routes of a kind of aggregate need to carry out its commands. */
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

/**
 * Carries out a command and answers; the answer is sent after COMMIT, never before.
 *
 * Throws a Problem when the command is refused or its outcome is not known in time.
 */
export async function answerCommand<Command, State>(
  ctx: ServiceContext,
  { what, handle, requestDeadlineMs }: CommandEdge<Command, State>,
  command: Command,
  asked: Asked<State>,
): Promise<void> {
  const { traceparent } = ctx.state;
  const handling = handle(command, { traceparent, ...asked }).then((result) => {
    logCommitted(ctx, result);
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
 * An event's timeline begins with this line. It is written even if the client no longer waits for
 * the answer.
 */
function logCommitted(ctx: ServiceContext, result: CommandResult): void {
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

/** Sends the answer byte for byte: a repeat of the request gets the kept copy of it. */
function send(ctx: ServiceContext, { status, headers, body }: Answer): void {
  ctx.status = status;
  ctx.set({ ...headers });
  if (body !== '') ctx.body = body;
}

/** The HTTP answer to a refusal; `what` is what clients call the aggregate. */
export function toProblem(what: string, refusal: Refusal): Problem {
  switch (refusal.kind) {
    case 'invalid':
      return new Problem(422, { detail: `The ${what} breaks a rule.`, errors: refusal.violations });
    case 'missing':
      return new Problem(404, { detail: `There is no ${refusal.what ?? what} with this id.` });
    case 'deleted':
      return new Problem(410, { detail: `This ${refusal.what ?? what} was deleted.` });
    case 'stale':
      return new Problem(412, {
        detail: `The ${what} is at version ${refusal.version}, which If-Match does not name.`,
        headers: { ETag: versionEtag.of(refusal.version) },
      });
    case 'conflict':
      return new Problem(409, { detail: refusal.detail });
    case 'key-running':
      return new Problem(409, {
        detail: 'A request with this Idempotency-Key is still running; ask again for its answer.',
        headers: { 'Retry-After': '1' },
      });
    case 'key-reused':
      return new Problem(422, {
        detail: 'This Idempotency-Key was used for another request.',
        errors: [{ field: 'Idempotency-Key', wants: 'a new key for a new request' }],
      });
  }
}

import { classifyDriverError } from '@board/database-kit';
import type { EntityManager } from 'typeorm';
import type { OpenTransaction } from '../database/transaction.ts';
import type { Rejected, Step } from '../decide/plan.ts';
import { HandlerTimeoutError, InfrastructureError } from '../errors.ts';
import type { DecodedEvent, Handler, Message } from '../handler.ts';

export interface Handled<E> {
  /** Steps whose effect is in the transaction, in order. */
  readonly done: readonly Step<E>[];
  readonly failed: readonly Rejected[];
  /** Steps that follow a failed one in the same aggregate, so that their turn has not come. */
  readonly displaced: readonly Step<E>[];
}

/**
 * Runs the handler over the steps inside the open transaction. When it fails, only the guilty event's effect is undone, by
 * savepoints; after a batch handler the steps are halved until it is found. The others keep their effect and the transaction.
 */
export async function runHandler<E extends DecodedEvent>(
  open: OpenTransaction,
  handler: Handler<E>,
  steps: readonly Step<E>[],
  deadlineMs: number,
): Promise<Handled<E>> {
  const done: Step<E>[] = [];
  const failed: Rejected[] = [];
  const displaced: Step<E>[] = [];
  const blocked = new Set<string>();

  async function run(part: readonly Step<E>[]): Promise<void> {
    const ready = part.filter((step) => !blocked.has(step.delivery.identity.aggregateId));
    displaced.push(...part.filter((step) => blocked.has(step.delivery.identity.aggregateId)));
    if (ready.length === 0) return;
    await open.tx.query('SAVEPOINT handling');
    const outcome = await attempt(open, handler, messagesOf(ready), deadlineMs);
    if (outcome.ok) {
      // Fails when the handler has swallowed a deadlock or ended the transaction: then the effects are not in it, and
      // neither may the marks be.
      await open.tx.query('RELEASE SAVEPOINT handling');
      done.push(...ready);
      return;
    }
    await open.tx.query('ROLLBACK TO SAVEPOINT handling');
    const guilty =
      ready.length === 1 ? ready[0] : ready.find((step) => step.kind === 'handle' && step.message === outcome.guilty);
    if (!guilty) {
      const middle = Math.ceil(ready.length / 2);
      await run(ready.slice(0, middle));
      return run(ready.slice(middle));
    }
    const at = ready.indexOf(guilty);
    await run(ready.slice(0, at));
    failed.push({ delivery: guilty.delivery, error: outcome.error });
    blocked.add(guilty.delivery.identity.aggregateId);
    await run(ready.slice(at + 1));
  }

  await run(steps);
  return { done, failed, displaced };
}

type Outcome =
  | { readonly ok: true }
  /** `guilty` is not known when a batch handler failed. */
  | { readonly ok: false; readonly error: unknown; readonly guilty: unknown };

/** Nothing that a handler throws leaves as it is: it is either this event's failure or the infrastructure's. */
async function attempt<E extends DecodedEvent>(
  open: OpenTransaction,
  handler: Handler<E>,
  messages: readonly Message<E>[],
  deadlineMs: number,
): Promise<Outcome> {
  if (messages.length === 0) return { ok: true };
  const cut = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    // Destroyed, not released: a handler that writes after its deadline would write into somebody else's transaction.
    open.destroyConnection();
    const error = new HandlerTimeoutError(
      messages.map((message) => message.eventId),
      deadlineMs,
    );
    cut.abort(error);
    late.reject(error);
  }, deadlineMs);
  let current: Message<E> | undefined;
  const running = handle(handler, messages, open.tx, cut.signal, (message) => (current = message));
  try {
    await Promise.race([running, late.promise]);
    return { ok: true };
  } catch (error) {
    if (error instanceof HandlerTimeoutError) {
      // Whatever it still throws after its deadline concerns nobody.
      running.catch(() => undefined);
      throw error;
    }
    const known = classifyDriverError(error);
    // A table that does not fit may be one event's failure: the caller decides, when it knows which others were applied.
    if (known && known.kind !== 'schema') throw new InfrastructureError(known.reason, { cause: error });
    return { ok: false, error, guilty: current };
  } finally {
    clearTimeout(timer);
  }
}

async function handle<E extends DecodedEvent>(
  handler: Handler<E>,
  messages: readonly Message<E>[],
  tx: EntityManager,
  signal: AbortSignal,
  onMessage: (message: Message<E>) => void,
): Promise<void> {
  if (handler.handleBatch && messages.length > 1) return handler.handleBatch(messages, tx, signal);
  for (const message of messages) {
    onMessage(message);
    await handler.handle(message, tx, signal);
  }
}

function messagesOf<E>(steps: readonly Step<E>[]): Message<E>[] {
  return steps.flatMap((step) => (step.kind === 'handle' ? [step.message] : []));
}

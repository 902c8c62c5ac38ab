import { must } from '@board/service';
import { classifyDriverError } from '@board/mysql';
import type { Rejected, Step } from '../decide.ts';
import { HandlerTimeoutError, InfrastructureError } from '../errors.ts';
import type { Message } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import type { Effects } from '../store/store.ts';

interface Handled {
  /** Steps whose effect is in the transaction, in order. */
  readonly done: readonly Step[];
  readonly failed: readonly Rejected[];
  /** Steps that follow a failed one in the same aggregate, so that their turn has not come. */
  readonly displaced: readonly Step[];
}

/**
 * Runs the handler over the steps inside the open transaction. When it fails, only the failing
 * event's effect is undone, by savepoints; after a batch handler the steps are halved until it is
 * found. The others keep their effect and the transaction.
 */
export async function runHandler(
  effects: Effects,
  inbox: Pick<Inbox, 'handler' | 'settings' | 'clock'>,
  steps: readonly Step[],
): Promise<Handled> {
  const done: Step[] = [];
  const failed: Rejected[] = [];
  const displaced: Step[] = [];
  const blocked = new Set<string>();
  const isBlocked = ({ delivery }: Step): boolean => blocked.has(delivery.identity.aggregateId);
  const work: Work[] = [{ kind: 'run', steps }];

  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (next.kind === 'give-up') {
      failed.push(next.rejected);
      blocked.add(next.rejected.delivery.identity.aggregateId);
      continue;
    }
    displaced.push(...next.steps.filter(isBlocked));
    const ready = next.steps.filter((step) => !isBlocked(step));
    if (ready.length === 0) continue;
    await effects.setSavepoint();
    const outcome = await attempt(effects, inbox, messagesOf(ready));
    if (outcome.kind === 'handled') {
      // Fails when the handler has swallowed a deadlock or ended the transaction: then the effects
      // are not in it, and neither may the marks be.
      await effects.releaseSavepoint();
      done.push(...ready);
      continue;
    }
    await effects.rollBackToSavepoint();
    const culprit =
      ready.length === 1 ? 0 : ready.findIndex((step) => isStepOf(step, outcome.message));
    const middle = Math.ceil(ready.length / 2);
    // In reverse, as the last is taken next. What precedes the failing event was undone with it and
    // runs again.
    if (culprit === -1)
      work.push(
        { kind: 'run', steps: ready.slice(middle) },
        { kind: 'run', steps: ready.slice(0, middle) },
      );
    else
      work.push(
        { kind: 'run', steps: ready.slice(culprit + 1) },
        {
          kind: 'give-up',
          rejected: {
            delivery: must(ready[culprit], 'failing step').delivery,
            error: outcome.error,
          },
        },
        { kind: 'run', steps: ready.slice(0, culprit) },
      );
  }
  return { done, failed, displaced };
}

type Work =
  | { readonly kind: 'run'; readonly steps: readonly Step[] }
  | { readonly kind: 'give-up'; readonly rejected: Rejected };

type Outcome =
  | { readonly kind: 'handled' }
  /** `message`: the one that failed, undefined when a batch handler did. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly message: Message | undefined };

/**
 * What a handler throws is either its event's failure or the infrastructure's; the latter is
 * thrown.
 */
async function attempt(
  effects: Effects,
  { handler, settings, clock }: Pick<Inbox, 'handler' | 'settings' | 'clock'>,
  messages: readonly Message[],
): Promise<Outcome> {
  if (messages.length === 0) return { kind: 'handled' };
  const { handlerDeadlineMs } = settings;
  const deadline = new AbortController();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(handlerDeadlineMs, () => {
    // Destroyed, not released: a handler that writes after its deadline would write into another
    // transaction.
    effects.destroyConnection();
    const error = new HandlerTimeoutError(
      messages.map(({ eventId }) => eventId),
      handlerDeadlineMs,
    );
    deadline.abort(error);
    late.reject(error);
  });
  let current: Message | undefined;
  const handleAll = async (): Promise<void> => {
    if (handler.handleBatch && messages.length > 1)
      return handler.handleBatch(messages, effects.manager, deadline.signal);
    for (current of messages) await handler.handle(current, effects.manager, deadline.signal);
  };
  const running = handleAll();
  try {
    await Promise.race([running, late.promise]);
    return { kind: 'handled' };
  } catch (error) {
    if (error instanceof HandlerTimeoutError) {
      // What it still throws after its deadline changes nothing.
      running.catch(() => undefined);
      throw error;
    }
    const known = classifyDriverError(error);
    // A table that does not fit may be one event's failure: the caller decides, when it knows which
    // others were applied.
    if (known && known.kind !== 'schema')
      throw new InfrastructureError(known.reason, { cause: error });
    return { kind: 'failed', error, message: current };
  } finally {
    cancel();
  }
}

function isStepOf(step: Step, message: Message | undefined): boolean {
  return step.kind === 'handle' && step.message === message;
}

function messagesOf(steps: readonly Step[]): Message[] {
  return steps.flatMap((step) => (step.kind === 'handle' ? [step.message] : []));
}

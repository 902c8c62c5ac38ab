// Flow 6/9: one transaction: effect, mark
import { classifyDriverError } from '@board/mysql';
import { failpoint } from '@board/service';
import { planBatch, type Applied, type Mark, type Step } from '../decide.ts';
import {
  describeError,
  HandlerTimeoutError,
  InfrastructureError,
  UnfinishedDeploymentError,
} from '../errors.ts';
import { deletePassed } from '../fail/dead-letters.ts';
import { routeFailures } from '../fail/route-failures.ts';
import { observeApplied } from '../health/observe.ts';
import type { Inbox } from '../inbox.ts';
import type { Delivery } from '../record.ts';
import type { StoreTransaction } from '../store/store.ts';
import { runHandler } from './run-handler.ts';
import type { SchemaWait } from './schema-failures.ts';

/**
 * When it returns, each delivery is applied, a duplicate, parked, or acknowledged by a retry topic
 * or the DLQ, and its offset may be committed. Throws InfrastructureError when that is not possible
 * now, HandlerTimeoutError when several events together took too long, and any other error as it
 * is; safe to call again. Returns the aggregates whose next event may be parked.
 */
export async function processDeliveries(
  inbox: Inbox,
  deliveries: readonly Delivery[],
): Promise<readonly string[]> {
  if (deliveries.length === 0) return [];
  // Before the transaction: what the registry takes for an answer must not be waited for under
  // locks.
  await inbox.decoder.prepare(deliveries);
  let timedOut: ReadonlyMap<string, unknown> = new Map();
  for (;;) {
    try {
      const batch = inbox.schemaFailures.begin();
      const applied = await applyBatch(inbox, deliveries, timedOut);
      const { routable, wait } = inbox.schemaFailures.classify(batch, deliveries, applied);
      const drainable = await finish(inbox, routable);
      if (wait) throw waitingFor(wait);
      return drainable;
    } catch (error) {
      const late = lateEvent(error, deliveries.length === 1 || timedOut.size === 0);
      if (late === undefined) throw toFault(error);
      // Its connection is gone, and with it the transaction: all is done again, without it.
      timedOut = new Map([...timedOut, [late, error]]);
    }
  }
}

/**
 * Decides and applies deliveries in one transaction that holds the lock on every mark it decides
 * by. Safe to call twice with the same deliveries: the second time they are duplicates.
 */
function applyBatch(
  inbox: Inbox,
  deliveries: readonly Delivery[],
  knownFailures: ReadonlyMap<string, unknown>,
): Promise<Applied> {
  return inbox.store.transaction(async (tx) => {
    // The locks come first: what is read before them may be old when it is used.
    const marks = await tx.marks.lock(deliveries.map(({ identity }) => identity.aggregateId));
    const plan = planBatch({
      deliveries,
      marks,
      reopened: await tx.skips.findReopened(
        deliveries.filter(({ replayed }) => replayed).map(({ identity }) => identity),
      ),
      skippedAhead: inbox.skippedAhead,
      knownFailures,
      toMessage: (delivery) => inbox.decoder.toMessage(delivery),
    });
    const { done, failed, displaced } = await runHandler(tx.effects, inbox, plan.steps);

    // A failed predecessor postpones the turn of what cannot be decoded: it is classified then.
    const blocked = new Set(failed.map(({ delivery }) => delivery.identity.aggregateId));
    const early = plan.invalid.filter(({ delivery }) => blocked.has(delivery.identity.aggregateId));
    // What is parked already stays as it is.
    const toPark = [
      ...plan.park,
      ...[...displaced, ...early].map(({ delivery }) => delivery),
    ].filter(({ takenFrom }) => takenFrom !== 'parked');
    const conflicts = await tx.parked.add(toPark);

    const moved = movedMarks(done);
    await failpoint('after-effect-before-mark');
    // In the same transaction as the effect: neither can be there without the other.
    await tx.marks.move(moved);
    await recordSkips(tx, done);
    const waiting = await deletePassed(
      inbox,
      tx,
      moved,
      done.map(({ delivery }) => delivery.identity),
    );
    await failpoint('before-commit');
    return {
      applied: done.map(({ delivery }) => delivery),
      duplicates: plan.duplicates,
      parked: toPark.filter((delivery) => !conflicts.includes(delivery)),
      drainable: waiting,
      failed: [...plan.failed, ...failed],
      invalid: plan.invalid.filter((one) => !early.includes(one)),
      conflicts: [...plan.conflicts, ...conflicts],
    };
  });
}

function movedMarks(done: readonly Step[]): ReadonlyMap<string, Mark> {
  const moved = new Map<string, Mark>();
  for (const step of done) {
    const { aggregateId, version, eventId } = step.delivery.identity;
    if (step.kind === 'no-effect' || step.movesMark) moved.set(aggregateId, { version, eventId });
  }
  return moved;
}

async function recordSkips({ skips }: StoreTransaction, done: readonly Step[]): Promise<void> {
  const passedOver = done.filter(({ kind }) => kind === 'no-effect');
  await skips.record(
    passedOver.map(({ delivery: { identity } }) => ({
      identity,
      decidedBy: 'policy',
      reason: 'dead letter passed over in its turn',
    })),
  );
  const reapplied = done.filter((step) => step.kind === 'handle' && step.delivery.replayed);
  await skips.forget(reapplied.map(({ delivery }) => delivery.identity));
}

/**
 * The one event that was too late; undefined when it is another error, or not clear which event it
 * was.
 */
function lateEvent(error: unknown, mayBeGivenUp: boolean): string | undefined {
  return error instanceof HandlerTimeoutError && error.eventIds.length === 1 && mayBeGivenUp
    ? error.eventIds[0]
    : undefined;
}

/**
 * What no table knows stays as it is: whether it is the event or the inbox itself, the caller finds
 * out.
 */
function toFault(error: unknown): unknown {
  if (error instanceof HandlerTimeoutError || error instanceof InfrastructureError) return error;
  const known = classifyDriverError(error);
  return known === undefined ? error : new InfrastructureError(known.reason, { cause: error });
}

function waitingFor({ delivery, error, known, eventType }: SchemaWait): UnfinishedDeploymentError {
  return new UnfinishedDeploymentError(
    `${known.reason} (${eventType || 'an event without a type'}: ${describeError(error).message})`,
    delivery,
    error,
  );
}

/**
 * What follows the COMMIT: failures are published, then the parked rows that they came from are
 * deleted.
 */
async function finish(inbox: Inbox, result: Applied): Promise<readonly string[]> {
  inbox.breaker.observe(result);
  inbox.controls.add(result.applied.filter(({ kind }) => kind === 'event').length);
  // Here and not at the end: the time of the line is the time of the COMMIT, and publishing may
  // fail.
  observeApplied(inbox, result);
  await failpoint('after-commit');
  // Published before the offset is committed: a crash here makes a copy, never a loss.
  const unblocked = await routeFailures(inbox, result);
  await failpoint('after-publish');
  // Only now may the rows go: the retry topic or the DLQ has the records.
  const routed = [...result.failed, ...result.invalid]
    .map(({ delivery }) => delivery)
    .filter((delivery) => delivery.takenFrom === 'parked');
  if (routed.length > 0) await inbox.store.transaction(({ parked }) => parked.remove(routed));
  return [...new Set([...result.drainable, ...unblocked])];
}

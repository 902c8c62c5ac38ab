// Flow 6/9: one transaction: effect, mark
import { failpoint } from '@board/service';
import { planBatch, type Applied, type Mark, type Step } from '../decide.ts';
import { deletePassed } from '../fail/dead-letters.ts';
import type { Inbox } from '../inbox.ts';
import type { Delivery } from '../record.ts';
import type { StoreTransaction } from '../store/store.ts';
import { runHandler } from './run-handler.ts';

/**
 * Decides and applies deliveries in one transaction that holds the lock on every mark it decides
 * by. Safe to call twice with the same deliveries: the second time they are duplicates.
 */
export function applyBatch(
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

    // What cannot be decoded is judged in its turn only, and a failed predecessor has put that off.
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
    if (step.kind === 'pass' || step.movesMark) moved.set(aggregateId, { version, eventId });
  }
  return moved;
}

async function recordSkips({ skips }: StoreTransaction, done: readonly Step[]): Promise<void> {
  const passedOver = done.filter(({ kind }) => kind === 'pass');
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

// Flow 6/9: one transaction: effect, mark
import { failpoint } from '@board/service-kit';
import { lockMarks, moveMarks } from '../database/marks.ts';
import { clearPassed, findRivals, park } from '../database/parked.ts';
import { findReopened, forgetSkips, recordSkips } from '../database/skipped.ts';
import { inTransaction, type OpenTransaction } from '../database/transaction.ts';
import type { Mark } from '../decide/decide.ts';
import { planBatch, type Step } from '../decide/plan.ts';
import type { Delivery } from '../delivery.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { publishConflicts } from '../route/publish-letters.ts';
import type { Applied } from './applied.ts';
import { runHandler, type Handled } from './run-handler.ts';

/**
 * Decides and applies deliveries in one transaction that holds the lock on every mark it decides by.
 * Safe to call twice with the same deliveries: the second time they are duplicates.
 */
export async function applyBatch<E extends DecodedEvent>(
  inbox: Inbox<E>,
  deliveries: readonly Delivery[],
  knownFailures: ReadonlyMap<string, unknown>,
): Promise<Applied> {
  return inTransaction(
    inbox.dataSource,
    () => inbox.metrics.rerun(),
    async (open) => {
      const { consumer } = inbox;
      const marks = await lockMarks(
        open.tx,
        consumer,
        deliveries.map((one) => one.identity.aggregateId),
      );
      const reopened = await findReopened(
        open.tx,
        consumer,
        deliveries.filter((one) => one.replayed).map((one) => one.identity),
      );
      const plan = planBatch({
        deliveries,
        marks,
        reopened,
        skippedAhead: inbox.skippedAhead,
        knownFailures,
        toMessage: (one) => inbox.decoder.toMessage(one),
      });
      const { done, failed, displaced } = await runSteps(inbox, open, plan.steps);
      // What cannot be decoded is judged in its turn only, and a failed predecessor has put that off.
      const waiting = new Set(failed.map(({ delivery }) => delivery.identity.aggregateId));
      const early = plan.invalid.filter(({ delivery }) => waiting.has(delivery.identity.aggregateId));
      // What is parked already stays as it is.
      const parked = [...plan.park, ...[...displaced, ...early].map(({ delivery }) => delivery)].filter(
        (one) => one.takenFrom !== 'parked',
      );
      const conflicts = await park(open.tx, consumer, parked, inbox.now());
      const moved = movedMarks(done);
      await failpoint('after-effect-before-mark');
      // In the same transaction as the effect: neither can be there without the other.
      await moveMarks(open.tx, consumer, moved);
      await recordPasses(inbox, open, done);
      const drainable = await clearPassed(open.tx, consumer, moved, async (aggregateIds) => {
        const applied = done
          .map(({ delivery }) => delivery.identity)
          .filter((one) => aggregateIds.includes(one.aggregateId));
        // Before their rows go: a crash in between makes a copy of the letter, never a loss.
        await publishConflicts(inbox, await findRivals(open.tx, consumer, applied));
      });
      await failpoint('before-commit');
      return {
        applied: done.map((step) => step.delivery),
        duplicates: plan.duplicates,
        parked: parked.filter((one) => !conflicts.includes(one)),
        drainable,
        failed: [...plan.failed, ...failed],
        invalid: plan.invalid.filter((one) => !early.includes(one)),
        conflicts: [...plan.conflicts, ...conflicts],
      };
    },
  );
}

async function runSteps<E extends DecodedEvent>(
  inbox: Inbox<E>,
  open: OpenTransaction,
  steps: readonly Step<E>[],
): Promise<Handled<E>> {
  return steps.length === 0
    ? { done: [], failed: [], displaced: [] }
    : runHandler(open, inbox.handler, steps, inbox.settings.handlerDeadlineMs);
}

function movedMarks<E>(done: readonly Step<E>[]): Map<string, Mark> {
  const moved = new Map<string, Mark>();
  for (const step of done) {
    const { aggregateId, version, eventId } = step.delivery.identity;
    if (step.kind === 'pass' || step.movesMark) moved.set(aggregateId, { version, eventId });
  }
  return moved;
}

async function recordPasses<E extends DecodedEvent>(
  inbox: Inbox<E>,
  open: OpenTransaction,
  done: readonly Step<E>[],
): Promise<void> {
  const passed = done.filter((step) => step.kind === 'pass').map((step) => step.delivery.identity);
  const skips = passed.map((identity) => ({
    identity,
    decidedBy: 'policy' as const,
    reason: 'dead letter passed over in its turn',
  }));
  await recordSkips(open.tx, inbox.consumer, skips, inbox.now());
  const reapplied = done.flatMap((step) =>
    step.kind === 'handle' && step.delivery.replayed ? [step.delivery.identity] : [],
  );
  await forgetSkips(open.tx, inbox.consumer, reapplied);
}

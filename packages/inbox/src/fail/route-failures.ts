// Flow 7/9: failure becomes a retry
import { must } from '@board/service';
import { type Applied, type Mark, type Rejected, decide } from '../decide.ts';
import { InvalidEventError, describeError } from '../errors.ts';
import { describeDelivery } from '../health/observe.ts';
import type { Inbox } from '../inbox.ts';
import type { Delivery } from '../record.ts';
import type { Skip } from '../store/store.ts';
import { deletePassed, ofDelivery, publishConflicts, publishDeadLetters } from './dead-letters.ts';
import { toRetry } from './record-formats.ts';

/** What a failure is, from the error and the attempts alone. */
export interface FailureClasses {
  /** Another attempt is left. */
  readonly retryable: readonly Rejected[];
  readonly spent: readonly Rejected[];
  readonly invalid: readonly Rejected[];
  readonly conflicts: readonly Delivery[];
}

/** Puts each failure into exactly one class; conflicts stay as they are. */
export function classifyFailures(
  { failed, invalid, conflicts }: Pick<Applied, 'failed' | 'invalid' | 'conflicts'>,
  maxAttempts: number,
): FailureClasses {
  const isInvalid = ({ error }: Rejected): boolean => error instanceof InvalidEventError;
  const isSpent = ({ delivery }: Rejected): boolean => delivery.attempt >= maxAttempts;
  const handled = failed.filter((one) => !isInvalid(one));
  return {
    retryable: handled.filter((one) => !isSpent(one)),
    spent: handled.filter(isSpent),
    invalid: [...invalid, ...failed.filter(isInvalid)],
    conflicts,
  };
}

/**
 * Publishes what a batch could not apply: to the next retry topic, or to the DLQ when it can never
 * succeed or its attempts are spent. Returns the aggregates whose next event the `skip` policy made
 * ready.
 */
export async function routeFailures(inbox: Inbox, result: Applied): Promise<readonly string[]> {
  const { retryable, spent, invalid, conflicts } = classifyFailures(result, inbox.maxAttempts);
  // Before anything is published: while most events fail, none of them may be given up.
  const mayGiveUp = (await inbox.breaker.admit(spent.length)) === 'dead-letter';
  const exhausted = mayGiveUp ? spent : [];
  const postponed = mayGiveUp ? [] : spent;

  const refused = await publishRetries(inbox, retryable, postponed);
  await publishDeadLetters(inbox, [
    ...invalid.map((one) => ofDelivery(one, 'invalid-event')),
    ...exhausted.map((one) => ofDelivery(one, 'attempts-exhausted')),
    // What no retry topic takes goes to the DLQ, without its record where the DLQ refuses that too.
    ...refused.map((one) => ofDelivery(one, 'unprocessable')),
  ]);
  await publishConflicts(inbox, conflicts);

  if (inbox.handler.afterDeadLetter !== 'skip') return [];
  // After the dead letter is safe in the DLQ: a version that is passed over without one would be a
  // loss.
  return skipPast(
    inbox,
    [...invalid, ...exhausted].map(({ delivery }) => delivery),
  );
}

/**
 * Returns those that no retry topic takes. `postponed` go to the end of the tier that they came
 * from, and their attempt is not counted.
 */
async function publishRetries(
  { publisher, store, settings, clock, random, metrics, logger }: Inbox,
  retryable: readonly Rejected[],
  postponed: readonly Rejected[],
): Promise<readonly Rejected[]> {
  const { group } = store.consumer;
  const nowMs = clock.now();
  const all = [
    ...retryable.map((rejected) => ({
      rejected,
      event: 'inbox.retry',
      attempts: rejected.delivery.attempt,
    })),
    ...postponed.map((rejected) => ({
      rejected,
      event: 'inbox.postponed',
      attempts: Math.max(1, rejected.delivery.attempt - 1),
    })),
  ];
  const published = await publisher.publish(
    all.map(({ rejected: { delivery, error }, attempts }) =>
      toRetry({ group, settings, delivery, attempts, error, nowMs, random }),
    ),
  );
  const refused: Rejected[] = [];
  for (const [index, { rejected, event, attempts }] of all.entries()) {
    const { delivery, error } = rejected;
    if (published[index]?.kind === 'refused') {
      refused.push(rejected);
      continue;
    }
    const isRetry = event === 'inbox.retry';
    if (isRetry) metrics.retried(attempts);
    logger.warn({
      event,
      ...describeDelivery(delivery),
      ...(isRetry && { tier: attempts }),
      error: describeError(error).message,
    });
  }
  return refused;
}

/**
 * Moves marks past dead letters, by the `skip` policy: only from the version before; a dead letter
 * whose turn has not come leaves a marker among the parked and is passed over in its turn. Returns
 * the aggregates whose next event may be parked.
 */
async function skipPast(
  inbox: Inbox,
  deadLetters: readonly Delivery[],
): Promise<readonly string[]> {
  if (deadLetters.length === 0) return [];
  return inbox.store.transaction(async (tx) => {
    const marks = new Map(
      await tx.marks.lock(deadLetters.map(({ identity }) => identity.aggregateId)),
    );
    const moved = new Map<string, Mark>();
    const markers: Delivery[] = [];
    const skips: Skip[] = [];
    for (const delivery of deadLetters) {
      const { identity } = delivery;
      const { aggregateId, version, eventId } = identity;
      const decision = decide(must(marks.get(aggregateId), 'locked mark'), identity);
      if (decision === 'apply') {
        const mark = { version, eventId };
        marks.set(aggregateId, mark);
        moved.set(aggregateId, mark);
        skips.push({ identity, decidedBy: 'policy', reason: 'dead letter' });
      }
      if (decision === 'park') markers.push({ ...delivery, kind: 'skip-marker' });
    }
    await tx.parked.add(markers);
    await tx.marks.move(moved);
    await tx.skips.record(skips);
    return deletePassed(
      inbox,
      tx,
      moved,
      skips.map(({ identity }) => identity),
    );
  });
}

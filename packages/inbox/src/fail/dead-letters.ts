// Flow 8/9: last failure becomes a dead letter
import type { Mark, Rejected } from '../decide.ts';
import { describeError, InfrastructureError, InvalidEventError } from '../errors.ts';
import type { Inbox } from '../inbox.ts';
import {
  traceparentOf,
  type DeadLetterReason,
  type Delivery,
  type Identity,
  type LastFailure,
} from '../record.ts';
import type { StoredDeadLetter, StoreTransaction } from '../store/store.ts';
import { toBare, toDeadLetter } from './record-formats.ts';
import type { Published, Publisher } from './publisher.ts';

/** What goes into the DLQ, and into its index in the database. */
export interface DeadLetter {
  readonly failure: LastFailure;
  readonly identity: Identity | undefined;
}

/**
 * Puts records into the DLQ, bare where it refuses the record itself, then into its index; both are
 * done when it resolves. Throws InfrastructureError.
 */
export async function publishDeadLetters(
  inbox: Inbox,
  deadLetters: readonly DeadLetter[],
): Promise<void> {
  if (deadLetters.length === 0) return;
  const { store, clock, publisher, logger, metrics } = inbox;
  // After the acknowledgement: an index entry without its record would be a dead letter that cannot
  // be replayed.
  const stored = await publishToDlq(publisher, store.consumer.group, deadLetters, clock.now());
  await store.transaction((tx) => tx.deadLetters.record(stored));
  for (const { failure, identity, dlqOffset } of stored) {
    metrics.deadLettered(failure.reason);
    const { topic, partition, offset } = failure.record.origin;
    logger.error({
      event: 'inbox.dead-letter',
      reason: failure.reason,
      ...identity,
      topic,
      partition,
      offset,
      attempts: failure.attempts,
      dlqOffset: String(dlqOffset),
      bare: failure.bare !== undefined,
      traceparent: traceparentOf(failure.record.headers),
      error: describeError(failure.error).message,
    });
  }
}

/**
 * Puts records into the DLQ; one that it refuses becomes a bare dead letter. Throws
 * InfrastructureError.
 */
export async function publishToDlq(
  publisher: Publisher,
  group: string,
  deadLetters: readonly DeadLetter[],
  nowMs: number,
): Promise<readonly StoredDeadLetter[]> {
  const send = (some: readonly DeadLetter[]): Promise<readonly Published[]> =>
    publisher.publish(some.map(({ failure }) => toDeadLetter(group, failure, nowMs)));
  const stored = new Map<DeadLetter, StoredDeadLetter>();
  const refused: DeadLetter[] = [];
  const published = await send(deadLetters);
  for (const [index, deadLetter] of deadLetters.entries()) {
    const outcome = published[index];
    if (outcome?.kind === 'stored')
      stored.set(deadLetter, { ...deadLetter, dlqOffset: outcome.offset });
    else refused.push(deadLetter);
  }
  const bare = refused.map((deadLetter): DeadLetter => ({
    ...deadLetter,
    failure: toBare(deadLetter.failure),
  }));
  for (const [index, outcome] of (await send(bare)).entries()) {
    const [deadLetter, bareOne] = [refused[index], bare[index]];
    if (deadLetter === undefined || bareOne === undefined) continue;
    if (outcome.kind === 'refused')
      throw new InfrastructureError(
        `the DLQ of ${group} refuses even a dead letter without its record`,
        {
          cause: outcome.error,
        },
      );
    stored.set(deadLetter, { ...bareOne, dlqOffset: outcome.offset });
  }
  return deadLetters.flatMap((deadLetter) => stored.get(deadLetter) ?? []);
}

const conflict = new InvalidEventError('another event holds this version of the aggregate');

/** The same for deliveries whose place another event has. */
export function publishConflicts(inbox: Inbox, deliveries: readonly Delivery[]): Promise<void> {
  return publishDeadLetters(inbox, deliveries.map(ofConflict));
}

export function ofConflict(delivery: Delivery): DeadLetter {
  return ofDelivery({ delivery, error: conflict }, 'conflict');
}

/**
 * Deletes what marks that this transaction has moved have passed. `by`: the events with which they
 * did; another event that is parked in the place of one of them becomes a dead letter. Returns the
 * aggregates that have rows behind their marks.
 */
export async function deletePassed(
  inbox: Inbox,
  { parked }: StoreTransaction,
  moved: ReadonlyMap<string, Mark>,
  by: readonly Identity[],
): Promise<readonly string[]> {
  const { passed, waiting } = await parked.compare(moved);
  if (passed.length === 0) return waiting;
  const places = by.filter(({ aggregateId }) => passed.includes(aggregateId));
  // Before their rows go: a crash in between makes a copy of the dead letter, never a loss.
  await publishConflicts(inbox, await parked.findConflicts(places));
  await parked.deletePassed(moved, passed);
  return waiting;
}

export function ofDelivery({ delivery, error }: Rejected, reason: DeadLetterReason): DeadLetter {
  const { record, attempt, firstFailedAtMs, identity } = delivery;
  return {
    identity,
    failure: { record, reason, error, attempts: attempt, firstFailedAtMs, bare: undefined },
  };
}

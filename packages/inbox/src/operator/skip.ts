import { must } from '@board/service';
import type { EntityManager } from 'typeorm';
import { ofConflict, publishToDlq } from '../fail/dead-letters.ts';
import { connectPublisher } from '../fail/publisher.ts';
import type { Delivery } from '../record.ts';
import type { StoreTransaction } from '../store/store.ts';
import { type Operator, Refusal, storeOf } from './operator.ts';

export interface SkipRequest {
  readonly aggregateId: string;
  readonly version: number;
  readonly reason: string;
  /**
   * The caller asserts that no record of this version exists any more, so that its event cannot be
   * named.
   */
  readonly isLost?: boolean;
  /** The caller asserts that the writer has this version, although nothing waits behind it. */
  readonly withoutFollowers?: boolean;
}

/** All but `skipped` changed nothing. */
export type SkipOutcome =
  /** `eventId` is empty when the version was lost. */
  | { readonly outcome: 'skipped'; readonly eventId: string }
  /** Its predecessors have not been applied or skipped yet. */
  | { readonly outcome: 'not-next'; readonly markVersion: number }
  | { readonly outcome: 'already-passed'; readonly markVersion: number }
  /**
   * No dead letter and no parked record has this version: it may still be in a retry topic or on
   * its way.
   */
  | { readonly outcome: 'unknown-event' }
  /** The consumer has no row of the aggregate. */
  | { readonly outcome: 'unknown-aggregate' }
  /**
   * No event is known that has this version, and nothing waits behind it: the writer may not have
   * come so far.
   */
  | { readonly outcome: 'no-followers' };

/**
 * Moves an aggregate's mark past one version without its effect; the sweep of the service drains
 * what is parked behind it.
 *
 * The mark takes the skipped event's id, so that a later copy of its record is a duplicate. A lost
 * version has none: should its record turn up after all while the mark stands there, it becomes a
 * `conflict` dead letter, because an operator thought it gone.
 */
export async function skipVersion(operator: Operator, request: SkipRequest): Promise<SkipOutcome> {
  const store = storeOf(operator);
  const { aggregateId, version, reason, isLost = false, withoutFollowers = false } = request;
  // Asked before the lock, which would leave a mark at 0 for an unknown aggregate.
  if (!(await knowsAggregate(operator, aggregateId))) return { outcome: 'unknown-aggregate' };
  const mark = await store.transaction(({ marks }) => marks.find(aggregateId));
  const early = classify(mark?.version ?? 0, version);
  if (early !== undefined) return early;
  const outcome = await store
    .transaction(async (tx): Promise<SkipOutcome> => {
      const { manager } = tx.effects;
      const event = await findEvent(manager, operator, aggregateId, version);
      if (event === undefined && !isLost) return { outcome: 'unknown-event' };
      const marks = await tx.marks.lock([aggregateId]);
      const late = classify(must(marks.get(aggregateId), 'locked mark').version, version);
      if (late !== undefined) return late;
      // A mark ahead of the writer would make a conflict of its next event.
      const isCertain = event !== undefined && !event.neverExisted;
      if (
        !isCertain &&
        !withoutFollowers &&
        !(await hasFollowers(manager, operator, aggregateId, version))
      )
        throw new Refusal<SkipOutcome>({ outcome: 'no-followers' });
      const identity = { aggregateId, version, eventId: event?.eventId ?? '' };
      const moved = new Map([[aggregateId, identity]]);
      await tx.marks.move(moved);
      await tx.skips.record([{ identity, decidedBy: 'hand', reason }]);
      const { passed } = await tx.parked.compare(moved);
      // Before their rows go: a crash in between makes a copy of the dead letter, never a loss.
      await deadLetterConflicts(operator, tx, await tx.parked.findConflicts([identity]));
      await tx.parked.deletePassed(moved, passed);
      return { outcome: 'skipped', eventId: identity.eventId };
    })
    .catch((error: unknown) => {
      if (error instanceof Refusal) return (error as Refusal<SkipOutcome>).outcome;
      throw error;
    });
  await store.transaction(({ deadLetters }) => deadLetters.closeOf({ aggregateId }));
  return outcome;
}

/** Another event than the skipped one is parked in its place: the DLQ keeps it. */
async function deadLetterConflicts(
  { consumer, kafka, now }: Operator,
  tx: StoreTransaction,
  conflicts: readonly Delivery[],
): Promise<void> {
  if (conflicts.length === 0) return;
  const publisher = await connectPublisher(kafka);
  try {
    const deadLetters = conflicts.map((delivery) => ofConflict(delivery));
    await tx.deadLetters.record(await publishToDlq(publisher, consumer.group, deadLetters, now()));
  } finally {
    await publisher.close();
  }
}

function classify(mark: number, version: number): SkipOutcome | undefined {
  if (mark >= version) return { outcome: 'already-passed', markVersion: mark };
  return mark === version - 1 ? undefined : { outcome: 'not-next', markVersion: mark };
}

/**
 * Whether the consumer has a row of the aggregate: a mark, a parked record, a dead letter or a skip.
 */
async function knowsAggregate(
  { consumer, dataSource }: Operator,
  aggregateId: string,
): Promise<boolean> {
  const ofAggregate = 'consumer = ? AND aggregatetype = ? AND aggregateid = ?';
  const [found]: readonly unknown[] = await dataSource.query(
    ['mark', 'parked', 'dead_letter', 'skipped']
      .map((table) => `(SELECT 1 FROM ${table} WHERE ${ofAggregate} LIMIT 1)`)
      .join(' UNION ALL '),
    Array.from({ length: 4 }, () => [consumer.group, consumer.aggregateType, aggregateId]).flat(),
  );
  return found !== undefined;
}

interface NamedEvent {
  readonly eventId: string;
  /** An operator has dismissed it with the assertion that the aggregate never had it. */
  readonly neverExisted: boolean;
}

/**
 * The event of a version: a dead letter's before a parked row's; never that of a conflict, which is
 * the one that does not hold the place.
 */
async function findEvent(
  tx: EntityManager,
  { consumer }: Operator,
  aggregateId: string,
  version: number,
): Promise<NamedEvent | undefined> {
  const key = [consumer.group, consumer.aggregateType, aggregateId, version];
  const [deadLetter]: readonly { event_id: string; closed_by: string | null }[] = await tx.query(
    `SELECT event_id, closed_by FROM dead_letter FORCE INDEX (letters_of_aggregate) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?
       AND reason <> 'conflict' ORDER BY closed_at IS NULL DESC, last_failed_at DESC LIMIT 1`,
    key,
  );
  // With a place in the order, nothing else lets a dead letter be dismissed.
  if (deadLetter !== undefined)
    return { eventId: deadLetter.event_id, neverExisted: deadLetter.closed_by === 'dismissed' };
  const [parked]: readonly { event_id: string }[] = await tx.query(
    'SELECT event_id FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?',
    key,
  );
  return parked && { eventId: parked.event_id, neverExisted: false };
}

/**
 * Whether anything waits behind the version, which shows that the writer has come further; only
 * true for long under the lock of the mark.
 */
async function hasFollowers(
  tx: EntityManager,
  { consumer }: Operator,
  aggregateId: string,
  version: number,
): Promise<boolean> {
  const [follower]: readonly unknown[] = await tx.query(
    'SELECT 1 FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version > ? LIMIT 1',
    [consumer.group, consumer.aggregateType, aggregateId, version],
  );
  return follower !== undefined;
}

import type { EntityManager } from 'typeorm';
import { closeSettledLetters } from '../database/dead-letters.ts';
import { lockMarks, moveMarks } from '../database/marks.ts';
import { clearPassed } from '../database/parked.ts';
import { recordSkips } from '../database/skipped.ts';
import { inTransaction } from '../database/transaction.ts';
import type { Operator } from './operator.ts';

export interface SkipRequest {
  readonly aggregateId: string;
  readonly version: number;
  readonly reason: string;
  /** The caller asserts that no record of this version exists any more, so that nobody can name its event. */
  readonly isLost?: boolean;
}

export type SkipOutcome =
  /** `eventId` is empty when the version was lost. */
  | { readonly outcome: 'skipped'; readonly eventId: string }
  /** Its predecessors have not been applied or skipped yet. */
  | { readonly outcome: 'not-next'; readonly markVersion: number }
  | { readonly outcome: 'already-passed'; readonly markVersion: number }
  /** No dead letter and no parked record has this version: it may still be in a retry topic or on its way. */
  | { readonly outcome: 'unknown-event' };

/**
 * Moves an aggregate's mark past one version without its effect; the sweep of the service drains what is parked behind it.
 *
 * The mark takes the skipped event's id, so that a later copy of its record is a duplicate. A lost version has none: should
 * its record turn up after all while the mark stands there, it becomes a `conflict` letter, because a human thought it gone.
 */
export async function skipVersion(operator: Operator, request: SkipRequest): Promise<SkipOutcome> {
  const { consumer, dataSource } = operator;
  const { aggregateId, version, reason, isLost = false } = request;
  // Asked before the lock, which would leave a mark at 0 for an aggregate that nobody has heard of.
  const early = judge(await markVersion(operator, aggregateId), version);
  if (early !== undefined) return early;
  const outcome = await inTransaction(
    dataSource,
    () => undefined,
    async ({ tx }): Promise<SkipOutcome> => {
      const eventId = await findEventId(tx, operator, aggregateId, version);
      if (eventId === undefined && !isLost) return { outcome: 'unknown-event' };
      const marks = await lockMarks(tx, consumer, [aggregateId]);
      const late = judge(marks.get(aggregateId)?.version ?? 0, version);
      if (late !== undefined) return late;
      const identity = { aggregateId, version, eventId: eventId ?? '' };
      const moved = new Map([[aggregateId, identity]]);
      await moveMarks(tx, consumer, moved);
      await recordSkips(tx, consumer, [{ identity, decidedBy: 'hand', reason }], operator.now());
      await clearPassed(tx, consumer, moved);
      return { outcome: 'skipped', eventId: identity.eventId };
    },
  );
  await closeSettledLetters(dataSource.manager, consumer, operator.now());
  return outcome;
}

function judge(mark: number, version: number): SkipOutcome | undefined {
  if (mark >= version) return { outcome: 'already-passed', markVersion: mark };
  return mark === version - 1 ? undefined : { outcome: 'not-next', markVersion: mark };
}

async function markVersion({ consumer, dataSource }: Operator, aggregateId: string): Promise<number> {
  const [mark]: readonly { version: number }[] = await dataSource.query(
    'SELECT version FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ?',
    [consumer.group, consumer.aggregateType, aggregateId],
  );
  return mark?.version ?? 0;
}

/** A letter before a parked row; never the letter of a conflict, whose event is the one that does not hold the place. */
async function findEventId(
  tx: EntityManager,
  { consumer }: Operator,
  aggregateId: string,
  version: number,
): Promise<string | undefined> {
  const key = [consumer.group, consumer.aggregateType, aggregateId, version];
  const [letter]: readonly { event_id: string }[] = await tx.query(
    `SELECT event_id FROM dead_letter WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?
       AND reason <> 'conflict' ORDER BY closed_at IS NULL DESC, last_failed_at DESC LIMIT 1`,
    key,
  );
  if (letter !== undefined) return letter.event_id;
  const [parked]: readonly { event_id: string }[] = await tx.query(
    'SELECT event_id FROM parked WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?',
    key,
  );
  return parked?.event_id;
}

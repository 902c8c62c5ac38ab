import type { EntityManager } from 'typeorm';
import type { Operator } from './operator.ts';

/** Whether the consumer has ever met the aggregate: a mark, a parked record, a letter or a skip of it is there. */
export async function hasHeardOf({ consumer, dataSource }: Operator, aggregateId: string): Promise<boolean> {
  const ofAggregate = 'consumer = ? AND aggregatetype = ? AND aggregateid = ?';
  const [found]: readonly unknown[] = await dataSource.query(
    ['mark', 'parked', 'dead_letter', 'skipped']
      .map((table) => `(SELECT 1 FROM ${table} WHERE ${ofAggregate} LIMIT 1)`)
      .join(' UNION ALL '),
    Array.from({ length: 4 }, () => [consumer.group, consumer.aggregateType, aggregateId]).flat(),
  );
  return found !== undefined;
}

export interface NamedEvent {
  readonly eventId: string;
  /** Somebody has said of it that the aggregate never had it. */
  readonly neverExisted: boolean;
}

/** The event of a version: a letter's before a parked row's; never that of a conflict, which is the one that does not hold the place. */
export async function findEvent(
  tx: EntityManager,
  { consumer }: Operator,
  aggregateId: string,
  version: number,
): Promise<NamedEvent | undefined> {
  const key = [consumer.group, consumer.aggregateType, aggregateId, version];
  const [letter]: readonly { event_id: string; closed_by: string | null }[] = await tx.query(
    `SELECT event_id, closed_by FROM dead_letter FORCE INDEX (letters_of_aggregate) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?
       AND reason <> 'conflict' ORDER BY closed_at IS NULL DESC, last_failed_at DESC LIMIT 1`,
    key,
  );
  // With a place in the order, nothing else lets a letter be dismissed.
  if (letter !== undefined) return { eventId: letter.event_id, neverExisted: letter.closed_by === 'dismissed' };
  const [parked]: readonly { event_id: string }[] = await tx.query(
    'SELECT event_id FROM parked FORCE INDEX (PRIMARY) WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version = ?',
    key,
  );
  return parked && { eventId: parked.event_id, neverExisted: false };
}

/** Whether anything waits behind the version, which shows that the writer has come further; only true for long under the lock of the mark. */
export async function hasFollowers(
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

import { publishToDlq } from '../fail/dead-letters.ts';
import { connectPublisher } from '../fail/publisher.ts';
import type { DeadLetterReason, LastFailure } from '../record.ts';
import { mysqlDeadLetters } from '../store/dead-letters.ts';
import type { DeadLetterEntry, DeadLetterFilter } from './dead-letter-index.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import { type Operator, storeOf } from './operator.ts';

export interface DismissRequest {
  readonly id: string;
  readonly reason: string;
  /** The caller asserts that the aggregate never had this version, so that nothing waits for it. */
  readonly neverExisted?: boolean;
}

/** All but `dismissed` changed nothing. */
export type DismissOutcome =
  | 'dismissed'
  | 'not-open'
  | 'unknown'
  /**
   * It has a place in its aggregate's order: replay or skip it, or assert that the aggregate never
   * had this version.
   */
  | 'has-a-place';

interface Found {
  readonly reason: DeadLetterReason;
  /** Null: the record has no identity, so nothing waits for it. */
  readonly event_id: string | null;
  readonly closed_at: string | null;
}

/** Reasons whose dead letters hold no place in the order of an aggregate. */
const placeless: readonly DeadLetterReason[] = ['no-identity', 'conflict'];

/**
 * Closes a dead letter that no mark can ever close. Its record stays in the DLQ, and no copy of it
 * opens the dead letter again.
 */
export async function dismissDeadLetter(
  operator: Operator,
  request: DismissRequest,
): Promise<DismissOutcome> {
  const { consumer, dataSource } = operator;
  const { id, reason, neverExisted = false } = request;
  await mysqlDeadLetters(dataSource.manager, consumer, operator.now).closeOf({ id });
  const [found]: readonly Found[] = await dataSource.query(
    'SELECT reason, event_id, closed_at FROM dead_letter WHERE consumer = ? AND aggregatetype = ? AND letter = ?',
    [consumer.group, consumer.aggregateType, id],
  );
  if (found === undefined) return 'unknown';
  if (found.closed_at !== null) return 'not-open';
  if (found.event_id !== null && !placeless.includes(found.reason) && !neverExisted)
    return 'has-a-place';
  const { affectedRows }: { affectedRows: number } = await dataSource.query(
    `UPDATE dead_letter SET closed_at = ?, closed_by = 'dismissed', closed_reason = ?
     WHERE consumer = ? AND letter = ? AND closed_at IS NULL`,
    [operator.now(), reason.slice(0, 500), consumer.group, id],
  );
  return affectedRows === 1 ? 'dismissed' : 'not-open';
}

const deadLettersPerStatement = 1_000;

/**
 * Closes every open dead letter that has no identity and fits, page by page: another program that
 * writes into the topic leaves more of them than an operator can name. Yields the dead letters of each
 * page once they are closed.
 */
export async function* dismissWithoutIdentity(
  operator: Operator,
  filter: Pick<DeadLetterFilter, 'error' | 'sinceMs' | 'untilMs'>,
  reason: string,
): AsyncGenerator<readonly DeadLetterEntry[]> {
  const { consumer, dataSource } = operator;
  const close = async (page: readonly DeadLetterEntry[]): Promise<void> => {
    await dataSource.query(
      `UPDATE dead_letter SET closed_at = ?, closed_by = 'dismissed', closed_reason = ?
       WHERE consumer = ? AND letter IN (?) AND closed_at IS NULL AND reason = 'no-identity'`,
      [operator.now(), reason.slice(0, 500), consumer.group, page.map(({ id }) => id)],
    );
  };
  let page: DeadLetterEntry[] = [];
  for await (const deadLetter of listDeadLetters(operator, { ...filter, reason: 'no-identity' })) {
    page.push(deadLetter);
    if (page.length < deadLettersPerStatement) continue;
    await close(page);
    yield page;
    page = [];
  }
  if (page.length === 0) return;
  await close(page);
  yield page;
}

export interface DiscardRequest {
  readonly aggregateId: string;
  readonly version: number;
  readonly reason: string;
}

export type DiscardOutcome =
  | { readonly outcome: 'discarded'; readonly id: string }
  /** No parked row has this version; it may have been applied in the meantime. */
  | { readonly outcome: 'not-parked' };

/**
 * Moves one parked record to the DLQ, for a version whose predecessors will never come. Safe to
 * call again after a crash.
 */
export async function discardParked(
  operator: Operator,
  request: DiscardRequest,
): Promise<DiscardOutcome> {
  const { aggregateId, version, reason } = request;
  const store = storeOf(operator);
  if ((await store.transaction(({ parked }) => parked.find(aggregateId, version))) === undefined)
    return { outcome: 'not-parked' };
  const publisher = await connectPublisher(operator.kafka);
  try {
    return await store.transaction(async (tx): Promise<DiscardOutcome> => {
      // Under the mark's lock no transaction can apply the row between its publish and its
      // deletion.
      await tx.marks.lock([aggregateId]);
      const parked = await tx.parked.find(aggregateId, version);
      if (parked === undefined) return { outcome: 'not-parked' };
      const { record, identity, attempt, firstFailedAtMs } = parked;
      const error = Object.assign(new Error(reason), { name: 'Discarded' });
      const failure: LastFailure = {
        record,
        reason: 'discarded',
        error,
        attempts: attempt - 1,
        firstFailedAtMs,
        bare: undefined,
      };
      // Published before the row goes: a crash in between makes a copy, never a loss.
      const stored = await publishToDlq(
        publisher,
        store.consumer.group,
        [{ failure, identity }],
        operator.now(),
      );
      await tx.deadLetters.record(stored);
      await tx.parked.remove([parked]);
      return { outcome: 'discarded', id: identity.eventId };
    });
  } finally {
    await publisher.close();
  }
}

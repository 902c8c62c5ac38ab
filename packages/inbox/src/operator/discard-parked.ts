import { connectPublisher } from '../fail/publisher.ts';
import { publishToDlq } from '../fail/dead-letters.ts';
import type { LastFailure } from '../record.ts';
import { storeOf, type Operator } from './operator.ts';

export interface DiscardRequest {
  readonly aggregateId: string;
  readonly version: number;
  readonly reason: string;
}

export type DiscardOutcome =
  | { readonly outcome: 'discarded'; readonly letter: string }
  /** No parked row has this version; it may have been applied in the meantime. */
  | { readonly outcome: 'not-parked' };

/** Moves one parked record to the DLQ, for a version whose predecessors will never come. Safe to call again after a crash. */
export async function discardParked(operator: Operator, request: DiscardRequest): Promise<DiscardOutcome> {
  const { aggregateId, version, reason } = request;
  const store = storeOf(operator);
  if ((await store.transaction(({ parked }) => parked.find(aggregateId, version))) === undefined)
    return { outcome: 'not-parked' };
  const publisher = await connectPublisher(operator.kafka);
  try {
    return await store.transaction(async (tx): Promise<DiscardOutcome> => {
      // Under the mark's lock nobody can apply the row between its publish and its deletion.
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
      const stored = await publishToDlq(publisher, store.consumer.group, [{ failure, identity }], operator.now());
      await tx.deadLetters.record(stored);
      await tx.parked.remove([parked]);
      return { outcome: 'discarded', letter: identity.eventId };
    });
  } finally {
    await publisher.close();
  }
}

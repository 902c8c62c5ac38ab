import { recordDeadLetters } from '../database/dead-letters.ts';
import { lockMarks } from '../database/marks.ts';
import { findParked, unpark } from '../database/parked.ts';
import { inTransaction } from '../database/transaction.ts';
import { connectPublisher } from '../route/publish.ts';
import { publishToDlq } from '../route/publish-letters.ts';
import type { LastFailure } from '../route/to-dead-letter.ts';
import type { Operator } from './operator.ts';

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
  const { consumer, dataSource } = operator;
  const { aggregateId, version, reason } = request;
  if ((await findParked(dataSource.manager, consumer, aggregateId, version)) === undefined)
    return { outcome: 'not-parked' };
  const publisher = await connectPublisher(operator.kafka);
  try {
    return await inTransaction(
      dataSource,
      () => undefined,
      async ({ tx }): Promise<DiscardOutcome> => {
        // Under the mark's lock nobody can apply the row between its publish and its deletion.
        await lockMarks(tx, consumer, [aggregateId]);
        const parked = await findParked(tx, consumer, aggregateId, version);
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
        const nowMs = operator.now();
        // Published before the row goes: a crash in between makes a copy, never a loss.
        const stored = await publishToDlq(publisher, consumer, [{ failure, identity }], nowMs);
        await recordDeadLetters(tx, consumer, stored, nowMs);
        await unpark(tx, consumer, [parked]);
        return { outcome: 'discarded', letter: identity.eventId };
      },
    );
  } finally {
    await publisher.close();
  }
}

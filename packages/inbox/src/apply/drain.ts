import { failpoint } from '@board/service-kit';
import { nextParked } from '../database/parked.ts';
import { inTransaction } from '../database/transaction.ts';
import { HandlerTimeoutError } from '../errors.ts';
import type { Delivery } from '../delivery.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { processBatch } from './process-batch.ts';

const rowsPerRound = 100;

/**
 * Applies what is parked behind the marks of these aggregates, for as long as the next event is there and `isOver` says no.
 * Throws InfrastructureError; whatever is left then, the sweep finds.
 */
export async function drain<E extends DecodedEvent>(
  inbox: Inbox<E>,
  aggregateIds: readonly string[],
  isOver: () => boolean,
): Promise<void> {
  for (const aggregateId of aggregateIds) {
    // The sweep and both loops may drain the same aggregate: one at a time, or each would publish what cannot be applied.
    while (
      await inbox.drainTurns.take(aggregateId, () =>
        isOver() ? Promise.resolve(false) : drainRound(inbox, aggregateId),
      )
    );
  }
}

/** False once nothing is parked behind the mark. */
async function drainRound<E extends DecodedEvent>(inbox: Inbox<E>, aggregateId: string): Promise<boolean> {
  const ready = await inTransaction(inbox.dataSource, inbox.metrics.rerun, ({ tx }) =>
    nextParked(tx, inbox.consumer, aggregateId, rowsPerRound),
  );
  if (ready.length === 0) return false;
  await failpoint('before-drain');
  await processTogether(inbox, ready);
  await failpoint('mid-drain');
  return true;
}

/** After a batch handler was too late nobody knows because of which event: then each gets its own deadline. */
async function processTogether<E extends DecodedEvent>(inbox: Inbox<E>, ready: readonly Delivery[]): Promise<void> {
  try {
    await processBatch(inbox, ready);
  } catch (error) {
    if (!(error instanceof HandlerTimeoutError)) throw error;
    for (const delivery of ready) await processBatch(inbox, [delivery]);
  }
}

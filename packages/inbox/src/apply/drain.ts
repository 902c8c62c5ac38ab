import { failpoint } from '@board/service-kit';
import { HandlerTimeoutError } from '../errors.ts';
import type { Inbox } from '../inbox.ts';
import { processDeliveries } from './process-deliveries.ts';

const rowsPerRound = 100;

/**
 * Applies what is parked behind the marks of these aggregates, for as long as the next event is there and `isOver` says no.
 * Throws InfrastructureError; what is left then, the sweep finds.
 */
export async function drain(inbox: Inbox, aggregateIds: readonly string[], isOver: () => boolean): Promise<void> {
  for (const aggregateId of aggregateIds) {
    let isMore = true;
    // The sweep and both loops may drain the same aggregate: one at a time, or each would publish what cannot be applied.
    while (isMore)
      isMore = await inbox.drains.run(aggregateId, () =>
        isOver() ? Promise.resolve(false) : drainRound(inbox, aggregateId),
      );
  }
}

/** False once nothing is parked behind the mark. */
async function drainRound(inbox: Inbox, aggregateId: string): Promise<boolean> {
  const ready = await inbox.store.transaction(({ parked }) => parked.next(aggregateId, rowsPerRound));
  if (ready.length === 0) return false;
  await failpoint('before-drain');
  try {
    await processDeliveries(inbox, ready);
  } catch (error) {
    if (!(error instanceof HandlerTimeoutError)) throw error;
    // A batch handler that was too late does not tell because of which event: each gets its own deadline.
    for (const delivery of ready) await processDeliveries(inbox, [delivery]);
  }
  await failpoint('mid-drain');
  return true;
}

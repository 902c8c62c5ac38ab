import { failpoint } from '@board/service';
import { repeat } from '../clock.ts';
import { HandlerTimeoutError, InfrastructureError } from '../errors.ts';
import { deletePassed } from '../fail/dead-letters.ts';
import type { Inbox } from '../inbox.ts';
import { processDeliveries } from './apply-batch.ts';

const rowsPerRound = 100;

/**
 * Applies what is parked behind the marks of these aggregates, for as long as the next event is
 * there and `isOver` says no. Throws InfrastructureError; what is left then, the sweep finds.
 */
export async function drain(
  inbox: Inbox,
  aggregateIds: readonly string[],
  isOver: () => boolean,
): Promise<void> {
  for (const aggregateId of aggregateIds) {
    let isMore = true;
    // The sweep and both loops may drain the same aggregate: one at a time, or each would publish
    // what cannot be applied.
    while (isMore)
      isMore = await inbox.drains.run(aggregateId, () =>
        isOver() ? Promise.resolve(false) : drainRound(inbox, aggregateId),
      );
  }
}

/** False once nothing is parked behind the mark. */
async function drainRound(inbox: Inbox, aggregateId: string): Promise<boolean> {
  const ready = await inbox.store.transaction(({ parked }) =>
    parked.next(aggregateId, rowsPerRound),
  );
  if (ready.length === 0) return false;
  await failpoint('before-drain');
  try {
    await processDeliveries(inbox, ready);
  } catch (error) {
    if (!(error instanceof HandlerTimeoutError)) throw error;
    // A batch handler that was too late does not show which event it was: each gets its own
    // deadline.
    for (const delivery of ready) await processDeliveries(inbox, [delivery]);
  }
  await failpoint('mid-drain');
  return true;
}

/** Sweeps at start and every few seconds; the returned function stops that. */
export function startSweeper(inbox: Inbox): () => Promise<void> {
  const { store, breaker, settings, alarms, logger } = inbox;
  let seenBefore = new Map<string, number>();

  return repeat(inbox.clock, settings.sweepEveryMs, async (isStopped) => {
    // While the breaker is open only its probe may try events.
    if (breaker.isOpen()) return;
    const seen = new Map<string, number>();
    // What a moved mark makes ready is drained at once, here or in another process: a row that two
    // sweeps find was left behind.
    const isLeftOver = (aggregateId: string, version: number): boolean => {
      seen.set(aggregateId, version);
      return seenBefore.get(aggregateId) === version;
    };
    try {
      await sweep(inbox, { isLeftOver, isOver: () => isStopped() || breaker.isOpen() });
      alarms.clear('sweep');
    } catch (error) {
      alarms.raise('sweep', `parked events cannot be swept: ${store.describeFault(error)}`);
      logger.warn({ event: 'inbox.sweep-failed', err: error });
    }
    seenBefore = seen;
  });
}

export interface SweepOptions {
  /** Whether this row was left behind; otherwise the process that moved the mark drains it. */
  readonly isLeftOver: (aggregateId: string, version: number) => boolean;
  /** Ends the sweep after the round under way. */
  readonly isOver: () => boolean;
}

/**
 * Drains what a crash, a skip or a replay left behind: aggregates whose lowest parked version is at
 * or below mark + 1. It walks aggregates by the first key of each, not their rows.
 */
export async function sweep(inbox: Inbox, { isLeftOver, isOver }: SweepOptions): Promise<void> {
  const { store } = inbox;
  const failures: unknown[] = [];
  let after = '';
  while (!isOver()) {
    const from = after;
    const page = await store.transaction(({ parked }) => parked.lowest(from));
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.aggregateId;
    const ids = page.flatMap(({ aggregateId, version, mark }) =>
      mark !== undefined && version <= mark + 1 && isLeftOver(aggregateId, version)
        ? [aggregateId]
        : [],
    );
    if (ids.length === 0) continue;
    const drainable = await store.transaction(async (tx) => {
      const locked = await tx.marks.lock(ids);
      return deletePassed(
        inbox,
        tx,
        locked,
        [...locked].map(([aggregateId, mark]) => ({ aggregateId, ...mark })),
      );
    });
    for (const id of drainable)
      await drain(inbox, [id], isOver).catch((error: unknown) => failures.push(error));
  }
  // One aggregate that cannot be drained now must not keep the others waiting.
  if (failures.length > 0)
    throw new InfrastructureError(
      `${failures.length} aggregates cannot be drained: ${store.describeFault(failures[0])}`,
      { cause: failures[0] },
    );
}

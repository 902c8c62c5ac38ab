import { inTransaction } from '../database/transaction.ts';
import { lockMarks } from '../database/marks.ts';
import { clearPassed, lowestParked } from '../database/parked.ts';
import { InfrastructureError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { describeFault } from '../route/describe-fault.ts';
import { drain } from './drain.ts';

export interface SweepOptions {
  /** Whether nobody else is at it: others drain what they set free themselves. */
  readonly isLeftOver: (aggregateId: string, version: number) => boolean;
  /** Ends the sweep after the round under way. */
  readonly isOver: () => boolean;
}

/**
 * Drains what a crash, a skip or a replay left behind: aggregates whose lowest parked version the mark has reached.
 * It walks aggregates by the first key of each, not their rows.
 */
export async function sweep<E extends DecodedEvent>(
  inbox: Inbox<E>,
  { isLeftOver, isOver }: SweepOptions,
): Promise<void> {
  const { consumer, dataSource } = inbox;
  const failures: unknown[] = [];
  let after = '';
  while (!isOver()) {
    const page = await inTransaction(dataSource, inbox.metrics.rerun, ({ tx }) => lowestParked(tx, consumer, after));
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.aggregateId;
    const ids = page.flatMap(({ aggregateId, version, mark }) =>
      mark !== undefined && version <= mark + 1 && isLeftOver(aggregateId, version) ? [aggregateId] : [],
    );
    if (ids.length === 0) continue;
    const drainable = await inTransaction(dataSource, inbox.metrics.rerun, async ({ tx }) =>
      clearPassed(tx, consumer, await lockMarks(tx, consumer, ids)),
    );
    for (const id of drainable) await drain(inbox, [id], isOver).catch((error: unknown) => failures.push(error));
  }
  // One aggregate that cannot be drained now keeps nobody else waiting.
  if (failures.length > 0)
    throw new InfrastructureError(
      `${failures.length} aggregates cannot be drained: ${describeFault(inbox, failures[0])}`,
      { cause: failures[0] },
    );
}

import { inTransaction } from '../database/transaction.ts';
import { lockMarks } from '../database/marks.ts';
import { clearPassed } from '../database/parked.ts';
import { InfrastructureError } from '../errors.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { describeError } from '../route/describe-error.ts';
import { drain } from './drain.ts';

const boardsPerRound = 500;

interface Ready {
  readonly aggregateid: string;
  /** The lowest that is parked. */
  readonly version: number;
}

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
    const ready: readonly Ready[] = await inTransaction(dataSource, inbox.metrics.rerun, ({ tx }) =>
      tx.query(
        `SELECT lowest.aggregateid, lowest.version FROM (
         SELECT aggregateid, MIN(version) AS version FROM parked WHERE consumer = ? AND aggregatetype = ? AND aggregateid > ?
         GROUP BY consumer, aggregatetype, aggregateid
       ) AS lowest JOIN mark ON mark.consumer = ? AND mark.aggregatetype = ? AND mark.aggregateid = lowest.aggregateid
       WHERE lowest.version <= mark.version + 1 ORDER BY lowest.aggregateid LIMIT ?`,
        [consumer.group, consumer.aggregateType, after, consumer.group, consumer.aggregateType, boardsPerRound],
      ),
    );
    const last = ready.at(-1);
    if (last === undefined) break;
    const ids = ready.flatMap(({ aggregateid, version }) => (isLeftOver(aggregateid, version) ? [aggregateid] : []));
    const drainable = await inTransaction(dataSource, inbox.metrics.rerun, async ({ tx }) =>
      clearPassed(tx, consumer, await lockMarks(tx, consumer, ids)),
    );
    for (const id of drainable) await drain(inbox, [id], isOver).catch((error: unknown) => failures.push(error));
    after = last.aggregateid;
  }
  // One aggregate that cannot be drained now keeps nobody else waiting.
  if (failures.length > 0)
    throw new InfrastructureError(
      `${failures.length} aggregates cannot be drained: ${describeError(failures[0]).message}`,
      { cause: failures[0] },
    );
}

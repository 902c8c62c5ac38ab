import type { EntityManager } from 'typeorm';
import type { Mark } from '../decide/decide.ts';
import type { Consumer } from '../consumer.ts';

/** More keys in one statement and MySQL scans the table instead, locking all of it. */
const keysPerStatement = 1_000;

/**
 * Makes sure that every aggregate has a mark, and locks them until the transaction ends.
 * Keys are sorted, so that two transactions wait for each other in one order; an upsert that changes nothing,
 * never INSERT IGNORE: that one deadlocks against itself and cuts long ids down to another aggregate's mark.
 */
export async function lockMarks(
  tx: EntityManager,
  consumer: Consumer,
  aggregateIds: Iterable<string>,
): Promise<Map<string, Mark>> {
  const keys = [...new Set(aggregateIds)].sort();
  const marks = new Map<string, Mark>();
  for (let from = 0; from < keys.length; from += keysPerStatement) {
    const ids = keys.slice(from, from + keysPerStatement);
    await tx.query(
      'INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ? ON DUPLICATE KEY UPDATE version = mark.version',
      [ids.map((id) => [consumer.group, consumer.aggregateType, id, 0, ''])],
    );
    const rows: readonly MarkRow[] = await tx.query(
      'SELECT aggregateid, version, event_id FROM mark WHERE consumer = ? AND aggregatetype = ? AND aggregateid IN (?) ORDER BY aggregateid FOR UPDATE',
      [consumer.group, consumer.aggregateType, ids],
    );
    for (const row of rows) marks.set(row.aggregateid, { version: row.version, eventId: row.event_id });
  }
  return marks;
}

/** Writes marks whose locks this transaction holds. */
export async function moveMarks(
  tx: EntityManager,
  consumer: Consumer,
  moved: ReadonlyMap<string, Mark>,
): Promise<void> {
  const keys = [...moved].sort(([a], [b]) => (a < b ? -1 : 1));
  for (let from = 0; from < keys.length; from += keysPerStatement) {
    await tx.query(
      `INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ? AS moved
       ON DUPLICATE KEY UPDATE version = moved.version, event_id = moved.event_id`,
      [
        keys
          .slice(from, from + keysPerStatement)
          .map(([id, mark]) => [consumer.group, consumer.aggregateType, id, mark.version, mark.eventId]),
      ],
    );
  }
}

interface MarkRow {
  readonly aggregateid: string;
  readonly version: number;
  readonly event_id: string;
}

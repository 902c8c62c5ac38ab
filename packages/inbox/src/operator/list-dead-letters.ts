import {
  behindPlace,
  closeAllPassed,
  mysqlDeadLetters,
  placeValues,
} from '../store/dead-letters.ts';
import { type DeadLetterPlace, firstPlace } from '../store/store.ts';
import {
  type Condition,
  type DeadLetterEntry,
  type DeadLetterFilter,
  type DeadLetterEntryRow,
  selectDeadLetters,
  toCondition,
  toDeadLetterEntry,
} from './dead-letter-index.ts';
import { type Operator } from './operator.ts';

/**
 * How dead letters are paged through: in the order of an index, each page from where the last one
 * ended.
 */
interface DeadLetterOrder {
  /** Columns of the index behind `consumer` and `is_open`. */
  readonly by: string;
  readonly compare: (one: DeadLetterEntry, other: DeadLetterEntry) => number;
}

/**
 * Closes what the marks have passed before a filter is asked what is open: of all dead letters, or
 * only of those that it names.
 */
async function closePassedOf(
  { consumer, dataSource, now }: Operator,
  filter: DeadLetterFilter,
): Promise<void> {
  const deadLetters = mysqlDeadLetters(dataSource.manager, consumer, now);
  const { ids, aggregateId } = filter;
  if (aggregateId !== undefined) await deadLetters.closeOf({ aggregateId });
  else if (ids === undefined) await closeAllPassed(deadLetters);
  else for (const id of ids) await deadLetters.closeOf({ id });
}

/** At most `limit` dead letters that fit and lie behind `from`, in this order. */
async function readPage(
  { consumer, dataSource }: Operator,
  filter: DeadLetterFilter,
  order: DeadLetterOrder,
  from: Condition,
  limit: number,
): Promise<readonly DeadLetterEntry[]> {
  const { state = 'open' } = filter;
  // Open and closed ones lie apart in the indexes: a page of both is the beginning of a page of
  // each.
  const states = state === 'all' ? [1, 0] : [state === 'open' ? 1 : 0];
  const condition = toCondition(consumer, filter);
  const deadLetters: DeadLetterEntry[] = [];
  for (const isOpen of states) {
    const rows: readonly DeadLetterEntryRow[] = await dataSource.query(
      `${selectDeadLetters} WHERE ${condition.sql} AND dead_letter.is_open = ? AND ${from.sql} ORDER BY ${order.by} LIMIT ?`,
      [...condition.values, isOpen, ...from.values, limit],
    );
    deadLetters.push(...rows.map(toDeadLetterEntry));
  }
  return deadLetters.toSorted(order.compare).slice(0, limit);
}

const deadLettersPerPage = 500;

const byTime: DeadLetterOrder = {
  by: 'dead_letter.last_failed_at, dead_letter.letter',
  compare: (one, other) => one.lastFailedAt - other.lastFailedAt || (one.id < other.id ? -1 : 1),
};

/**
 * Dead letters that fit, the oldest failure first, page by page; what the marks have passed is
 * closed before the first page.
 */
export async function* listDeadLetters(
  operator: Operator,
  filter: DeadLetterFilter = {},
): AsyncGenerator<DeadLetterEntry> {
  await closePassedOf(operator, filter);
  let after: DeadLetterPlace = firstPlace;
  for (;;) {
    const from = { sql: behindPlace, values: placeValues(after) };
    const deadLetters = await readPage(operator, filter, byTime, from, deadLettersPerPage);
    yield* deadLetters;
    const last = deadLetters.at(-1);
    if (last === undefined || deadLetters.length < deadLettersPerPage) return;
    after = { failedAt: last.lastFailedAt, id: last.id };
  }
}

const byOffset: DeadLetterOrder = {
  by: 'dead_letter.dlq_offset',
  compare: (one, other) => Number(BigInt(one.dlqOffset) - BigInt(other.dlqOffset)),
};

/**
 * Dead letters that fit, page by page in the order of the DLQ, so that it is read once and
 * forwards. Only dead letters that were known at the start: one that is replayed and fails again
 * gets a later offset, and would come round without end. Those that are said to lie behind the
 * DLQ's end come too: it was made again since.
 */
export async function* pagesByPosition(
  operator: Operator,
  filter: DeadLetterFilter,
  deadLettersPerPage: number,
): AsyncGenerator<readonly DeadLetterEntry[]> {
  await closePassedOf(operator, filter);
  for (const [partition, lastOffset] of await readLastOffsets(operator)) {
    for (let next = 0n; ;) {
      const from = {
        sql: 'dead_letter.dlq_partition = ? AND dead_letter.dlq_offset >= ? AND dead_letter.dlq_offset <= ?',
        values: [partition, String(next), String(lastOffset)],
      };
      const deadLetters = await readPage(operator, filter, byOffset, from, deadLettersPerPage);
      const last = deadLetters.at(-1);
      if (last === undefined) break;
      yield deadLetters;
      if (deadLetters.length < deadLettersPerPage) break;
      next = BigInt(last.dlqOffset) + 1n;
    }
  }
}

/**
 * The highest offset that a dead letter has in each partition of the DLQ, in the order of the
 * partitions.
 */
async function readLastOffsets({
  consumer,
  dataSource,
}: Operator): Promise<readonly (readonly [number, bigint])[]> {
  const read = async (
    condition: string,
    order: string,
    values: readonly number[],
  ): Promise<Position | undefined> => {
    const rows: readonly Position[] = await dataSource.query(
      `SELECT dlq_partition, dlq_offset FROM dead_letter FORCE INDEX (letters_by_position)
       WHERE consumer = ? AND is_open = ? AND ${condition} ORDER BY ${order} LIMIT 1`,
      [consumer.group, ...values],
    );
    return rows[0];
  };
  const offsets = new Map<number, bigint>();
  // Apart, as open and closed ones lie apart in the index; a row each, where GROUP BY would read
  // all of it.
  for (const isOpen of [1, 0]) {
    let next = 0;
    for (;;) {
      const first = await read('dlq_partition >= ?', 'dlq_partition, dlq_offset', [isOpen, next]);
      if (first === undefined) break;
      const { dlq_partition: partition } = first;
      const last = await read('dlq_partition = ?', 'dlq_offset DESC', [isOpen, partition]);
      const offset = BigInt(last?.dlq_offset ?? first.dlq_offset);
      if (offset >= (offsets.get(partition) ?? 0n)) offsets.set(partition, offset);
      next = partition + 1;
    }
  }
  return [...offsets].sort(([one], [other]) => one - other);
}

interface Position {
  readonly dlq_partition: number;
  readonly dlq_offset: string | number;
}

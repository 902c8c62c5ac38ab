import { closeAllPassed, mysqlDeadLetters } from '../store/dead-letters.ts';
import { toCondition, type Condition, type LetterFilter } from './letter-filter.ts';
import { selectLetters, toLetter, type Letter, type LetterRow } from './letter.ts';
import type { Operator } from './operator.ts';

/** How letters are paged through: in the order of an index, each page from where the last one ended. */
export interface LetterOrder {
  /** Columns of the index behind `consumer` and `is_open`. */
  readonly by: string;
  readonly compare: (one: Letter, other: Letter) => number;
}

/** Closes what the marks have passed before a filter is asked what is open: of all letters, or only of those that it names. */
export async function closeSettledOf({ consumer, dataSource, now }: Operator, filter: LetterFilter): Promise<void> {
  const deadLetters = mysqlDeadLetters(dataSource.manager, consumer, now);
  const { letters, aggregateId } = filter;
  if (aggregateId !== undefined) await deadLetters.closeOf({ aggregateId });
  else if (letters === undefined) await closeAllPassed(deadLetters);
  else for (const letter of letters) await deadLetters.closeOf({ letter });
}

/** At most `limit` letters that fit and lie behind `from`, in this order. */
export async function readLetterPage(
  { consumer, dataSource }: Operator,
  filter: LetterFilter,
  order: LetterOrder,
  from: Condition,
  limit: number,
): Promise<readonly Letter[]> {
  const { state = 'open' } = filter;
  // Open and closed ones lie apart in the indexes: a page of both is the beginning of a page of each.
  const states = state === 'all' ? [1, 0] : [state === 'open' ? 1 : 0];
  const condition = toCondition(consumer, filter);
  const letters: Letter[] = [];
  for (const isOpen of states) {
    const rows: readonly LetterRow[] = await dataSource.query(
      `${selectLetters} WHERE ${condition.sql} AND dead_letter.is_open = ? AND ${from.sql} ORDER BY ${order.by} LIMIT ?`,
      [...condition.values, isOpen, ...from.values, limit],
    );
    letters.push(...rows.map(toLetter));
  }
  return letters.toSorted(order.compare).slice(0, limit);
}

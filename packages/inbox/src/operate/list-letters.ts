import { closeSettledLetters } from '../database/dead-letters.ts';
import type { LetterFilter } from './letter-filter.ts';
import { toCondition } from './letter-filter.ts';
import { selectLetters, toLetter, type Letter, type LetterRow } from './letter.ts';
import type { Operator } from './operator.ts';

const lettersPerPage = 500;

/** Letters that fit, the oldest failure first, page by page; what the marks have passed is closed before the first page. */
export async function* listLetters(operator: Operator, filter: LetterFilter = {}): AsyncGenerator<Letter> {
  const { consumer, dataSource } = operator;
  await closeSettledLetters(dataSource.manager, consumer, operator.now());
  const condition = toCondition(consumer, filter);
  let after: { failedAt: number; letter: string } = { failedAt: -1, letter: '' };
  for (;;) {
    const rows: readonly LetterRow[] = await dataSource.query(
      `${selectLetters} WHERE ${condition.sql}
         AND (dead_letter.last_failed_at > ? OR (dead_letter.last_failed_at = ? AND dead_letter.letter > ?))
       ORDER BY dead_letter.last_failed_at, dead_letter.letter LIMIT ?`,
      [...condition.values, after.failedAt, after.failedAt, after.letter, lettersPerPage],
    );
    const letters = rows.map(toLetter);
    yield* letters;
    const last = letters.at(-1);
    if (last === undefined || letters.length < lettersPerPage) return;
    after = { failedAt: last.lastFailedAt, letter: last.letter };
  }
}

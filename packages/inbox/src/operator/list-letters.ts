import { behindPlace, placeValues } from '../store/dead-letters.ts';
import { firstPlace, type DeadLetterPlace } from '../store/store.ts';
import type { LetterFilter } from './letter-filter.ts';
import { closeSettledOf, readLetterPage, type LetterOrder } from './letter-pages.ts';
import type { Letter } from './letter.ts';
import type { Operator } from './operator.ts';

const lettersPerPage = 500;

const byTime: LetterOrder = {
  by: 'dead_letter.last_failed_at, dead_letter.letter',
  compare: (one, other) => one.lastFailedAt - other.lastFailedAt || (one.letter < other.letter ? -1 : 1),
};

/** Letters that fit, the oldest failure first, page by page; what the marks have passed is closed before the first page. */
export async function* listLetters(operator: Operator, filter: LetterFilter = {}): AsyncGenerator<Letter> {
  await closeSettledOf(operator, filter);
  let after: DeadLetterPlace = firstPlace;
  for (;;) {
    const from = { sql: behindPlace, values: placeValues(after) };
    const letters = await readLetterPage(operator, filter, byTime, from, lettersPerPage);
    yield* letters;
    const last = letters.at(-1);
    if (last === undefined || letters.length < lettersPerPage) return;
    after = { failedAt: last.lastFailedAt, letter: last.letter };
  }
}

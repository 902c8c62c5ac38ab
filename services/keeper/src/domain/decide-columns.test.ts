import { describe, expect, it } from 'vitest';
import {
  decideColumns,
  describeDifference,
  type Difference,
  type Columns,
} from './decide-columns.ts';

const same: Columns = { table: ['seq', 'id'], history: ['seq', 'id'] };
const swapped: Columns = { table: ['seq', 'id'], history: ['id', 'seq'] };
const gone: Columns = { table: ['seq', 'id'], history: undefined };

/** Decides on each of these, ten seconds after the other. */
function play(...observed: readonly Columns[]): string[] {
  let difference: Difference | undefined;
  return observed.map((columns, index) => {
    const decision = decideColumns(difference, columns, index * 10_000);
    difference = decision.kind === 'same' ? undefined : decision.difference;
    return decision.kind;
  });
}

const times = (count: number, columns: Columns): Columns[] =>
  Array.from({ length: count }, () => columns);

describe('decideColumns', () => {
  it('is the same while both have the same columns in the same order', () => {
    expect(play(...times(20, same))).toEqual(times(20, same).map(() => 'same'));
  });

  it.each([swapped, gone])('waits while a difference is younger than a minute', (columns) => {
    expect(play(...times(6, columns))).toEqual(times(6, columns).map(() => 'wait'));
    expect(play(...times(7, columns)).at(-1)).toBe('ask-fence');
  });

  it('waits for another minute when the difference changes, or was gone once', () => {
    expect(play(...times(6, swapped), ...times(6, gone)).includes('ask-fence')).toBe(false);
    expect(play(...times(6, swapped), same, ...times(6, swapped)).includes('ask-fence')).toBe(
      false,
    );
  });

  it('describeDifference names the columns that differ', () => {
    expect(describeDifference({ table: ['seq', 'id', 'note'], history: ['seq', 'note'] })).toBe(
      'the outbox has other columns than the connector believes: ' +
        'column 2 is id, for the connector note; column 3 is note, for the connector none',
    );
    expect(describeDifference(gone)).toContain('does not hold the outbox');
  });
});

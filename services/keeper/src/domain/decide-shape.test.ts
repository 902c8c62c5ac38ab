import { describe, expect, it } from 'vitest';
import { decideShape, describeDifference, type Difference, type Shapes } from './decide-shape.ts';

const same: Shapes = { table: ['seq', 'id'], history: ['seq', 'id'] };
const swapped: Shapes = { table: ['seq', 'id'], history: ['id', 'seq'] };
const gone: Shapes = { table: ['seq', 'id'], history: undefined };

/** Decides on each of these, ten seconds after the other. */
function play(...observed: readonly Shapes[]): string[] {
  let difference: Difference | undefined;
  return observed.map((shapes, index) => {
    const decision = decideShape(difference, shapes, index * 10_000);
    difference = decision.kind === 'same' ? undefined : decision.difference;
    return decision.kind;
  });
}

const times = (count: number, shapes: Shapes): Shapes[] =>
  Array.from({ length: count }, () => shapes);

describe('decideShape', () => {
  it('is the same while both have the same columns in the same order', () => {
    expect(play(...times(20, same))).toEqual(times(20, same).map(() => 'same'));
  });

  it.each([swapped, gone])('waits while a difference is younger than a minute', (shapes) => {
    expect(play(...times(6, shapes))).toEqual(times(6, shapes).map(() => 'wait'));
    expect(play(...times(7, shapes)).at(-1)).toBe('ask-fence');
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

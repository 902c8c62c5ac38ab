import { expect, onTestFinished, test } from 'vitest';
import { layOutVersion } from '../upgrade/lay-out-version.ts';
import { editsOf, plantNames } from './plants.ts';

test.for([['the refusing handler', undefined] as const, ...plantNames.map((plant) => [plant, plant] as const)])(
  'the shipped source still has every line that %s changes',
  ([, plant]) => {
    const edits = editsOf(plant);
    const version = layOutVersion(edits);
    onTestFinished(() => version.remove());
    expect(edits.length).toBeGreaterThan(0);
  },
);

test('a planted bug whose line is gone fails before anything runs', () => {
  const [edit] = editsOf('offset-before-database').slice(-1);
  if (edit === undefined) throw new Error('no edit');
  expect(() => layOutVersion([{ ...edit, from: 'a line that is not there' }])).toThrow(
    'has this text 0 times, not once: a line that is not there',
  );
});

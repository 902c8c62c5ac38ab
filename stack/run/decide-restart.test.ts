import { expect, test } from 'vitest';
import { decideRestart } from './decide-restart.ts';

test('the wait doubles with each death in a row, up to half a minute', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000].map((deaths) => decideRestart(deaths).delayMs);
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('the fifth death in a row is no accident any more', () => {
  expect([1, 4, 5, 6].map((deaths) => decideRestart(deaths).isGivenUp)).toEqual([false, false, true, true]);
});

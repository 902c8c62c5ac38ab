import { expect, it } from 'vitest';
import { triedLately } from './circuit-breaker.ts';

it('counts aggregates, not tries, and only the last outcome of each', () => {
  const tried = triedLately(60_000);
  for (let n = 0; n < 10; n += 1) tried.record('bad', 'failed', n);
  tried.record('good', 'applied', 10);
  tried.record('repaired', 'failed', 10);
  tried.record('repaired', 'applied', 11);
  expect(tried.failedShare(12)).toBeCloseTo(1 / 3);
});

it('forgets what lies before the window, and everything when cleared', () => {
  const tried = triedLately(1_000);
  tried.record('a', 'failed', 0);
  tried.record('b', 'applied', 900);
  expect(tried.failedShare(1_500)).toBe(0);
  tried.record('b', 'failed', 1_600);
  tried.clear();
  expect(tried.failedShare(1_600)).toBe(0);
});

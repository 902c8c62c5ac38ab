import { expect, it } from 'vitest';
import { trackProgress } from './progress.ts';

const at = (committed: number, end: number) => [
  { topic: 't', partition: 0, committed: BigInt(committed), low: 0n, end: BigInt(end) },
];

it('tells how long records have waited without progress', () => {
  const progress = trackProgress();
  expect(progress.observe(at(5, 9), 1_000)).toBe(0);
  expect(progress.observe(at(5, 9), 31_000)).toBe(30_000);
  expect(progress.observe(at(5, 12), 61_000)).toBe(60_000);
});

it('starts over with each step of the offset, and has no complaint without lag', () => {
  const progress = trackProgress();
  progress.observe(at(5, 9), 0);
  expect(progress.observe(at(6, 9), 50_000)).toBe(0);
  expect(progress.observe(at(9, 9), 90_000)).toBe(0);
  expect(progress.observe(at(9, 10), 95_000)).toBe(5_000);
});

it('does not count a DECLARED pause, nor a partition that came back after a rebalance', () => {
  const progress = trackProgress();
  progress.observe(at(5, 9), 0);
  progress.paused('t', 0, 60_000);
  expect(progress.observe(at(5, 9), 50_000)).toBe(0);
  expect(progress.observe(at(5, 9), 70_000)).toBe(20_000);
  progress.observe([], 80_000);
  expect(progress.observe(at(5, 9), 200_000)).toBe(0);
});

import { expect, it } from 'vitest';
import { trackProgress } from './watchdog.ts';

const at = (committed: number, end: number) => [
  { topic: 't', partition: 0, committed: BigInt(committed), low: 0n, end: BigInt(end) },
];

it('measures how long records have waited without progress, as the sum of the times between checks', () => {
  const progress = trackProgress();
  expect(progress.observe(at(5, 9), 5_000)).toBe(0);
  expect(progress.observe(at(5, 9), 5_000)).toBe(5_000);
  expect(progress.observe(at(5, 12), 10_000)).toBe(15_000);
});

it('starts over when the offset moves, and measures nothing without lag', () => {
  const progress = trackProgress();
  progress.observe(at(5, 9), 5_000);
  expect(progress.observe(at(6, 9), 5_000)).toBe(0);
  expect(progress.observe(at(9, 9), 5_000)).toBe(0);
  expect(progress.observe(at(9, 10), 5_000)).toBe(5_000);
});

it('does not count a declared pause, nor a partition that came back after a rebalance', () => {
  const progress = trackProgress();
  progress.observe(at(5, 9), 5_000);
  progress.paused('t', 0, 60_000);
  expect(progress.observe(at(5, 9), 50_000)).toBe(0);
  expect(progress.observe(at(5, 9), 30_000)).toBe(20_000);
  progress.observe([], 5_000);
  expect(progress.observe(at(5, 9), 5_000)).toBe(0);
});

it('counts a declared pause as progress, whenever the checks come', () => {
  const progress = trackProgress();
  progress.observe(at(5, 9), 5_000);
  for (let n = 0; n < 100; n += 1) {
    // Each pause is over when the brokers are asked again.
    progress.paused('t', 0, 1_000);
    expect(progress.observe(at(5, 9), 5_000)).toBe(4_000);
  }
});

it('keeps the rest of a pause when the records before it have moved the offset', () => {
  const progress = trackProgress();
  progress.observe(at(5, 9), 5_000);
  progress.paused('t', 0, 60_000);
  expect(progress.observe(at(6, 9), 5_000)).toBe(0);
  expect(progress.observe(at(6, 9), 50_000)).toBe(0);
  expect(progress.observe(at(6, 9), 10_000)).toBe(5_000);
});

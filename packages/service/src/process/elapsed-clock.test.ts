import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createElapsedClock, type ElapsedClock } from './time-limits.ts';

let monotonicMs: number;
let clock: ElapsedClock;

beforeEach(() => {
  vi.useFakeTimers();
  monotonicMs = 5_000;
  clock = createElapsedClock(1_000, () => monotonicMs);
});
afterEach(() => {
  clock.stop();
  vi.useRealTimers();
});

/** Lets time pass in steps that are smaller than a tick. */
function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 100) {
    monotonicMs += 100;
    vi.advanceTimersByTime(100);
  }
}

it('begins at zero and tells the time between two ticks too', () => {
  expect(clock.now()).toBe(0);
  pass(2_500);
  expect(clock.now()).toBe(2_500);
});

it('takes a stop of the whole process for two ticks at most, and never runs backwards', () => {
  pass(10_000);
  // Stopped for an hour: the monotonic clock ran on, no timer fired.
  monotonicMs += 3_600_000;
  expect(clock.now()).toBe(12_000);
  pass(100);
  const afterwards = clock.now();
  expect(afterwards).toBeLessThanOrEqual(12_200);
  expect(afterwards).toBeGreaterThanOrEqual(12_000);
  pass(3_000);
  expect(clock.now()).toBeGreaterThanOrEqual(14_000);
  expect(clock.now()).toBeLessThanOrEqual(15_200);
});

it('tells the same time for all who ask at the same moment, also while a tick is overdue', () => {
  monotonicMs += 1_700;
  expect([clock.now(), clock.now()]).toEqual([1_700, 1_700]);
});

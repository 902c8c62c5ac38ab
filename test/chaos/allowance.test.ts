import { expect, test } from 'vitest';
import { allowedMs, longestFailureMs } from './allowance.ts';

const lastFaultEndedAt = 1_000_000;

test('a stack is quiet within 90 s, and within 240 s only where the relay was stalled lately', () => {
  expect(allowedMs(null, lastFaultEndedAt)).toBe(90_000);
  expect(allowedMs(lastFaultEndedAt - 61_000, lastFaultEndedAt)).toBe(90_000);
  expect(allowedMs(lastFaultEndedAt - 59_000, lastFaultEndedAt)).toBe(240_000);
  expect(allowedMs(lastFaultEndedAt + 45_000, lastFaultEndedAt)).toBe(240_000);
});

test('a failure of the connector counts from the last fault on, until it is seen to be over', () => {
  const looks = (...failed: readonly (readonly [number, boolean])[]) =>
    failed.map(([at, isFailed]) => ({ at, isFailed }));
  expect(longestFailureMs([], 0)).toBe(0);
  expect(
    longestFailureMs(
      looks([1, false], [2, true], [5, true], [9, false], [12, true], [13, false]),
      0,
    ),
  ).toBe(7);
  expect(longestFailureMs(looks([2, true], [5, true], [9, false]), 6)).toBe(3);
  expect(longestFailureMs(looks([2, true], [5, false]), 6)).toBe(0);
  expect(longestFailureMs(looks([2, true], [40, true]), 0)).toBe(38);
});

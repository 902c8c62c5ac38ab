import { expect, test } from 'vitest';
import { longestFailureMs } from './watch-stack.ts';

test('a failure of the connector counts from the last fault on, until it is seen to be over', () => {
  const observations = (...failed: readonly (readonly [number, boolean])[]) =>
    failed.map(([at, isFailed]) => ({ at, isFailed }));
  expect(longestFailureMs([], 0)).toBe(0);
  expect(
    longestFailureMs(
      observations([1, false], [2, true], [5, true], [9, false], [12, true], [13, false]),
      0,
    ),
  ).toBe(7);
  expect(longestFailureMs(observations([2, true], [5, true], [9, false]), 6)).toBe(3);
  expect(longestFailureMs(observations([2, true], [5, false]), 6)).toBe(0);
  expect(longestFailureMs(observations([2, true], [40, true]), 0)).toBe(38);
});

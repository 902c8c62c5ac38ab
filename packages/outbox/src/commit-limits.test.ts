import { expect, it } from 'vitest';
import { defaultCommitLimits, fillCommitLimits } from './commit-limits.ts';

it('fillCommitLimits takes the given limits, and the defaults for the rest', () => {
  expect(fillCommitLimits({ batchRows: 3, patienceMs: 0 })).toEqual({
    ...defaultCommitLimits,
    batchRows: 3,
    patienceMs: 0,
  });
  expect(fillCommitLimits()).toEqual(defaultCommitLimits);
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5, 0, -1])(
  'fillCommitLimits refuses %s as a number of rows',
  (batchRows) => {
    expect(() => fillCommitLimits({ batchRows })).toThrow(
      `batchRows is ${batchRows}, must be an integer from 1 to 2147483647`,
    );
  },
);

it('fillCommitLimits names all wrong limits at once', () => {
  expect(() => fillCommitLimits({ transactions: 0, deadlineMs: Number.NaN })).toThrow(
    'transactions is 0, must be an integer from 1 to 2147483647; deadlineMs is NaN, must be an integer from 1 to 2147483647',
  );
});

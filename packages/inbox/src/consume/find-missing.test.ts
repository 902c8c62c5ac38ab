import { describe, expect, it } from 'vitest';
import { findMissing, findMissingAtReset } from './find-missing.ts';

const before = { topic: 't', partition: 0, next: 10n, end: 20n, newestMs: 1_000 };
const now = { topic: 't', partition: 0, committed: 10n, low: 0n, end: 20n };

describe('of a partition that is remembered', () => {
  it('nothing is missing while it only grows', () => {
    expect(findMissing(before, now, undefined)).toBeUndefined();
    expect(findMissing(before, { ...now, committed: 25n, low: 25n, end: 30n }, 25n)).toBeUndefined();
  });

  it('the records are missing that went before anything of them was committed', () => {
    const missing = findMissing(before, { ...now, committed: undefined, low: 15n }, undefined);
    expect(missing).toMatchObject({ from: 10n, to: 14n });
  });

  it('nothing is missing where another member has read on and an operator has trimmed', () => {
    expect(findMissing(before, { ...now, committed: 18n, low: 15n }, undefined)).toBeUndefined();
  });

  it('what was not read is missing when the partition is shorter than it was', () => {
    expect(findMissing(before, { ...now, end: 3n }, undefined)).toMatchObject({ from: 3n, to: 19n });
  });

  it('another topic of the same name shows in newer records where older ones were', () => {
    expect(findMissing(before, { ...now, end: 90n }, 4n)).toMatchObject({ from: 4n, to: 9n });
  });
});

describe('of an offset that the brokers do not have', () => {
  const reset = { topic: 't', partition: 0, wanted: 10n };

  it('the deleted records are missing', () => {
    expect(findMissingAtReset(reset, { low: 15n, end: 20n, committed: 10n })).toMatchObject({ from: 10n, to: 14n });
  });

  it('the topic was made again when it ends before', () => {
    expect(findMissingAtReset(reset, { low: 0n, end: 3n, committed: undefined })?.reason).toContain('made again');
  });

  it('nothing is missing for a member that the group has lost while others read on', () => {
    expect(findMissingAtReset(reset, { low: 15n, end: 20n, committed: 17n })).toBeUndefined();
  });
});

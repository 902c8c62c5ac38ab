import { describe, expect, it } from 'vitest';
import { findMissing, findMissingAtReset, nextToRemember, positionAfterLoss } from './positions.ts';

const before = { topic: 't', partition: 0, next: 10n, end: 20n, newestMs: 1_000 };
const now = { topic: 't', partition: 0, committed: 10n, low: 0n, end: 20n };

describe('in a remembered partition', () => {
  it('nothing is missing while it only grows', () => {
    expect(findMissing(before, now, undefined)).toBeUndefined();
    expect(
      findMissing(before, { ...now, committed: 25n, low: 25n, end: 30n }, 25n),
    ).toBeUndefined();
  });

  it('records are missing that were deleted before any offset was committed', () => {
    const missing = findMissing(before, { ...now, committed: undefined, low: 15n }, undefined);
    expect(missing).toMatchObject({ from: 10n, to: 14n });
  });

  it('nothing is missing where another member has read on and an operator has trimmed', () => {
    expect(findMissing(before, { ...now, committed: 18n, low: 15n }, undefined)).toBeUndefined();
  });

  it('unread records are missing when the partition is shorter than it was', () => {
    expect(findMissing(before, { ...now, end: 3n }, undefined)).toMatchObject({
      from: 3n,
      to: 19n,
    });
  });

  it('read records are missing when newer ones stand in their place, in another topic of the name', () => {
    expect(findMissing(before, { ...now, end: 90n }, 4n)).toMatchObject({ from: 4n, to: 9n });
  });
});

describe('after a loss is recorded', () => {
  it.each([
    [
      'of records at the end of the partition',
      { ...now, committed: undefined, low: 20n },
      undefined,
    ],
    ['of records with others behind them', { ...now, committed: undefined, low: 15n }, undefined],
    ['of a partition that was cut off', { ...now, end: 3n }, undefined],
    [
      'of a topic that was made again and is empty',
      { ...now, committed: undefined, end: 0n },
      undefined,
    ],
    ['of a topic that was made again and has grown past the old one', { ...now, end: 90n }, 4n],
    ['of one that was trimmed as well', { ...now, low: 2n, end: 90n }, 4n],
  ])('the same loss %s is not found again', (_what, position, firstAfter) => {
    expect(findMissing(before, position, firstAfter)).toBeDefined();
    const after = positionAfterLoss(position);
    // A restart and another owner ask for newer records once more; the brokers have none below the
    // low watermark.
    for (const first of [firstAfter, position.low, undefined])
      expect(findMissing(after, position, first)).toBeUndefined();
    if (position.low > 0n)
      expect(
        findMissingAtReset(
          { topic: 't', partition: 0, wanted: 1n },
          { ...position, committed: undefined },
          after,
        ),
      ).toBeUndefined();
  });

  it('the next loss is found', () => {
    const after = positionAfterLoss({ ...now, low: 15n });
    const trimmed = { ...now, committed: undefined, low: 18n };
    expect(findMissing(after, trimmed, undefined)).toMatchObject({ from: 15n, to: 17n });
    expect(findMissing(after, { ...now, low: 15n, end: 16n }, undefined)).toMatchObject({
      from: 15n,
      to: 19n,
    });
  });
});

describe('a partition is remembered as read', () => {
  it('up to what was committed, if this process has committed it', () => {
    expect(nextToRemember(before, { ...now, committed: 14n }, 14n)).toBe(14n);
    expect(nextToRemember(before, { ...now, committed: 14n }, undefined)).toBe(10n);
    expect(nextToRemember(undefined, { ...now, committed: 14n }, undefined)).toBe(14n);
  });

  it('no further back than the loss that was recorded, while the group still stands before it', () => {
    const position = { ...now, committed: 10n, low: 20n };
    const after = positionAfterLoss(position);
    expect(nextToRemember(after, position, 10n)).toBe(20n);
    // Nor past a loss that is not recorded yet.
    expect(nextToRemember(before, position, 10n)).toBe(10n);
  });

  it('from the earliest record on once the group begins again', () => {
    expect(nextToRemember(before, { ...now, committed: undefined, low: 3n }, undefined)).toBe(3n);
  });
});

describe('when a group asks for an offset that the brokers do not have', () => {
  const reset = { topic: 't', partition: 0, wanted: 10n };

  it('the deleted records are missing', () => {
    expect(
      findMissingAtReset(reset, { low: 15n, end: 20n, committed: 10n }, undefined),
    ).toMatchObject({
      from: 10n,
      to: 14n,
    });
  });

  it('the topic counts as made again when it ends before the offset', () => {
    expect(
      findMissingAtReset(reset, { low: 0n, end: 3n, committed: undefined }, undefined)?.reason,
    ).toContain('made again');
  });

  it('nothing is missing for a member that the group has lost while others read on', () => {
    expect(
      findMissingAtReset(reset, { low: 15n, end: 20n, committed: 17n }, undefined),
    ).toBeUndefined();
  });

  it('only those records are missing that were neither read nor found missing before', () => {
    const at = { low: 15n, end: 20n, committed: undefined };
    expect(findMissingAtReset(reset, at, before)).toMatchObject({ from: 10n, to: 14n });
    expect(findMissingAtReset(reset, at, { ...before, next: 13n })).toMatchObject({
      from: 13n,
      to: 14n,
    });
    expect(findMissingAtReset(reset, at, { ...before, next: 15n })).toBeUndefined();
  });

  it('the records beyond that offset are missing too when the partition ends before it', () => {
    const missing = findMissingAtReset(reset, { low: 0n, end: 3n, committed: undefined }, before);
    expect(missing).toMatchObject({ from: 3n, to: 19n });
  });
});

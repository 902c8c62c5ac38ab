import { expect, test } from 'vitest';
import type { TopicRecord } from './evidence.ts';
import { readRest, untilPassed } from './read-topics.ts';

const bounds = { topic: 'board', partition: 1, from: 0, end: 9 };
const recordAt = (offset: number) => ({ offset }) as TopicRecord;

/** A partition with records at these offsets, of which one reading shows at most so many. */
function partition(offsets: readonly number[], most: number) {
  const starts: number[] = [];
  const readFrom = (start: number) => {
    starts.push(start);
    return Promise.resolve(
      offsets
        .filter((offset) => offset >= start)
        .slice(0, most)
        .map(recordAt),
    );
  };
  return { starts, readFrom };
}

test('a partition is read again until nothing comes but the record that it was asked from', async () => {
  const { starts, readFrom } = partition([0, 1, 2, 3, 4, 5, 6], 3);
  const rest = await readRest(bounds, 2, readFrom);
  expect(rest.map(({ offset }) => offset)).toEqual([2, 3, 4, 5, 6]);
  // The offsets 7 and 8 are markers.
  expect(starts).toEqual([1, 3, 5, 6]);
});

test('a partition that was read to its end is not asked again', async () => {
  const { starts, readFrom } = partition([8], 1);
  expect(await readRest(bounds, 9, readFrom)).toEqual([]);
  expect(starts).toEqual([]);
});

test('a partition that shows nothing at all is refused', async () => {
  await expect(readRest(bounds, 4, () => Promise.resolve([]))).rejects.toThrow(
    'board/1 ends at 9, and could not be read from 3 on',
  );
});

test('commits are read again until the groups have passed the ends, also beyond them', async () => {
  const answers = [3, 4, 8];
  const readCommits = () =>
    Promise.resolve(new Map([['catalog-service board 1', answers.shift() ?? 0]]));
  const ends = [
    { key: 'catalog-service board 1', end: 7 },
    { key: 'catalog-service board 2', end: 0 },
  ];
  expect(await untilPassed(ends, readCommits, 60_000)).toEqual(
    new Map([['catalog-service board 1', 8]]),
  );
  expect(answers).toEqual([]);
});

test('the commits of a group that stays behind are returned as they are', async () => {
  expect(
    await untilPassed([{ key: 'a', end: 7 }], () => Promise.resolve(new Map([['a', 3]])), 0),
  ).toEqual(new Map([['a', 3]]));
});

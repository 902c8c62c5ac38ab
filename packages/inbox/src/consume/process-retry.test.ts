import { toHeaders } from '../../test/support/to-headers.ts';
import { expect, it } from 'vitest';
import { defaultSettings } from '../settings.ts';
import { dueInMs, longestDelayMs, trackFirstSeen } from './process-retry.ts';

const hour = 3_600_000;
/** Published and appended at 10,000, due at 11,000, looked at for the first time at 10,300. */
const times = {
  dueAtMs: 11_000,
  appendedAtMs: 10_000,
  nowMs: 10_300,
  seenForMs: 0,
  longestMs: 1_200,
};

it.each([
  ['every clock agrees', times, 700],
  ['it is due', { ...times, nowMs: 11_000 }, 0],
  ['its header is forged', { ...times, dueAtMs: 10_000 * hour }, 900],
  ['our clock is an hour slow', { ...times, nowMs: 10_300 - hour }, 1_200],
  [
    'our clock is an hour slow and it was seen a second ago',
    { ...times, nowMs: 10_300 - hour, seenForMs: 1_000 },
    200,
  ],
  [
    'our clock and that of the broker were set back',
    { ...times, nowMs: 10_300 - hour, seenForMs: 1_300 },
    -100,
  ],
  [
    "the broker's clock is an hour fast and the header is forged",
    { ...times, dueAtMs: 9e15, appendedAtMs: hour },
    1_200,
  ],
  ['our clock is an hour fast', { ...times, nowMs: 10_300 + hour }, 700 - hour],
])('waits for what is left of the delay when %s', (_, given, expected) => {
  expect(dueInMs(given)).toBe(expected);
});

it('knows the longest delay of each tier, and of a number that no tier has', () => {
  const longest = [0, 1, 2, 3, 4, 65_000].map((attempts) =>
    longestDelayMs(defaultSettings, attempts, 4),
  );
  expect(longest).toEqual([1_200, 1_200, 2_400, 4_800, 4_800, 4_800]);
});

it('counts from when a record was first in hand, for each partition by itself', () => {
  let nowMs = 0;
  const seen = trackFirstSeen(() => nowMs);
  const record = (partition: number, offset: number) => ({
    origin: { topic: 'r', partition, offset: String(offset), timestampMs: 0 },
    key: null,
    value: null,
    headers: toHeaders({}),
  });
  seen.note([record(0, 1), record(0, 2)]);
  nowMs = 500;
  seen.note([record(1, 2)]);
  seen.note([record(0, 2), record(0, 3)]);
  nowMs = 800;
  expect([record(0, 2), record(0, 3), record(1, 2)].map((one) => seen.seenForMs(one))).toEqual([
    800, 300, 300,
  ]);
  // Processed, and so forgotten.
  expect(seen.seenForMs(record(0, 1))).toBe(0);
});

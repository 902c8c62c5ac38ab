import { expect, it } from 'vitest';
import { defaultSettings, resolveSettings, type InboxSettings } from './settings.ts';

it('takes the defaults, and changes within their ranges', () => {
  expect(resolveSettings()).toEqual(defaultSettings);
  expect(resolveSettings({ retryJitter: 0, rereadForMs: 0, batchRecords: 1 })).toMatchObject({
    retryJitter: 0,
  });
});

it('refuses a setting that it does not know, such as one under its former name', () => {
  const changes = { floodWindowMs: 5 } as Partial<InboxSettings>;
  expect(() => resolveSettings(changes)).toThrow('settings of the inbox: unknown floodWindowMs');
});

it('names every value that is out of its range, in one error', () => {
  expect(() => resolveSettings({ maxWaitMs: 0, retryJitter: 1.5, batchRecords: NaN })).toThrow(
    'batchRecords is NaN, must be an integer from 1 to 9007199254740991; retryJitter is 1.5, must be a number from 0 to 1; maxWaitMs is 0, must be a number above 0, at most 2147483647',
  );
});

it.each([
  { batchRecords: 0.5 },
  { handlerDeadlineMs: Infinity },
  { sweepEveryMs: 2 ** 31 },
  { breakerDeadLetters: 1.5 },
])('refuses %j, which would end every wait at once or no loop at all', (changes) => {
  expect(() => resolveSettings(changes)).toThrow('settings of the inbox');
});

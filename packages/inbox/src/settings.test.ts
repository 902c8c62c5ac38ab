import { expect, it } from 'vitest';
import { defaultSettings, resolveSettings } from './settings.ts';

it('takes the defaults, and changes within their ranges', () => {
  expect(resolveSettings()).toEqual(defaultSettings);
  expect(resolveSettings({ retryJitter: 0, rereadForMs: 0, batchRecords: 1 })).toMatchObject({ retryJitter: 0 });
});

it('names every value that is out of its range, in one error', () => {
  expect(() => resolveSettings({ maxWaitMs: 0, retryJitter: 1.5, batchRecords: NaN })).toThrow(
    'batchRecords is NaN, must be a positive number; retryJitter is 1.5, must be a number from 0 to 1; maxWaitMs is 0',
  );
});

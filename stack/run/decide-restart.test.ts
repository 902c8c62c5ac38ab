import { expect, test } from 'vitest';
import { decideRestart, restartPolicy } from './decide-restart.ts';

test('the wait doubles with each death, up to its ceiling', () => {
  const patient = { ...restartPolicy, maxDeaths: 100 };
  const waits = [1, 2, 3, 4, 9].map((deaths) =>
    decideRestart(
      Array.from({ length: deaths }, (_, index) => 1000 + index),
      patient,
    ),
  );
  expect(waits).toEqual([250, 500, 1000, 2000, 8000].map((delayMs) => ({ kind: 'restart', delayMs })));
});

test('the fifth death within a minute is the LAST', () => {
  expect(decideRestart([0, 1, 2, 3])).toMatchObject({ kind: 'restart' });
  expect(decideRestart([0, 1, 2, 3, 59_999])).toEqual({ kind: 'give-up', deaths: 5 });
});

test('deaths more than a minute ago are FORGIVEN', () => {
  expect(decideRestart([0, 1, 2, 3, 60_004])).toEqual({ kind: 'restart', delayMs: 250 });
});

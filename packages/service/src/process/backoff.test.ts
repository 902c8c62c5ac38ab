import { expect, test } from 'vitest';
import { backoffMs, createBackoff, retryUntilReady } from './backoff.ts';

test('a wait doubles from one failure to the next, up to its limit', () => {
  const policy = { firstMs: 100, maxMs: 5_000 };
  expect([1, 2, 3, 6, 7, 100, 5_000].map((failures) => backoffMs(policy, failures))).toEqual([
    100, 200, 400, 3_200, 5_000, 5_000, 5_000,
  ]);
});

test('factor and jitter are settings, and without a limit a wait grows on', () => {
  const policy = { firstMs: 1_000, factor: 3, jitter: 0.2 };
  const waits = (random: number): number[] =>
    [1, 2, 3].map((failures) => backoffMs(policy, failures, () => random));
  expect(waits(0.5)).toEqual([1_000, 3_000, 9_000]);
  expect(waits(0)).toEqual([800, 2_400, 7_200]);
  expect(waits(1)).toEqual([1_200, 3_600, 10_800]);
});

test('the jitter goes past the limit too: what waits for the limit does not return together', () => {
  expect(backoffMs({ firstMs: 100, maxMs: 100, jitter: 0.5 }, 9, () => 1)).toBe(150);
});

test('a backoff counts its failures', () => {
  const backoff = createBackoff({ firstMs: 10, maxMs: 25 });
  expect([
    backoff.failures(),
    backoff.next(),
    backoff.next(),
    backoff.next(),
    backoff.failures(),
  ]).toEqual([0, 10, 20, 25, 3]);
});

test('waits GROW, stay within the limit and 20 % of jitter', async () => {
  const delays: number[] = [];
  let tries = 0;
  const result = await retryUntilReady(
    async () => {
      tries += 1;
      if (tries < 6) throw new Error('not yet');
      return 'ready';
    },
    {
      signal: new AbortController().signal,
      onRetry: (_, delayMs) => delays.push(delayMs),
      firstDelayMs: 10,
      maxDelayMs: 40,
    },
  );
  expect(result).toBe('ready');
  for (const [index, middle] of [10, 20, 40, 40, 40].entries()) {
    expect(Math.abs((delays[index] ?? 0) - middle)).toBeLessThanOrEqual(middle * 0.2);
  }
});

test('a FATAL error is not retried', async () => {
  const fatal = new Error('settings');
  const options = {
    signal: new AbortController().signal,
    onRetry: () => expect.unreachable(),
    isFatal: () => true,
  };
  await expect(retryUntilReady(() => Promise.reject(fatal), options)).rejects.toBe(fatal);
});

test('an ABORT ends the wait', async () => {
  const abort = new AbortController();
  const options = {
    signal: abort.signal,
    onRetry: () => abort.abort(),
    firstDelayMs: 60_000,
    maxDelayMs: 60_000,
  };
  await expect(retryUntilReady(() => Promise.reject(new Error('no')), options)).rejects.toThrow(
    'aborted',
  );
});

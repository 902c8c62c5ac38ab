import { expect, test } from 'vitest';
import { retryUntilReady } from './retry-until-ready.ts';

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
  const options = { signal: new AbortController().signal, onRetry: () => expect.unreachable(), isFatal: () => true };
  await expect(retryUntilReady(() => Promise.reject(fatal), options)).rejects.toBe(fatal);
});

test('an ABORT ends the wait', async () => {
  const abort = new AbortController();
  const options = { signal: abort.signal, onRetry: () => abort.abort(), firstDelayMs: 60_000, maxDelayMs: 60_000 };
  await expect(retryUntilReady(() => Promise.reject(new Error('no')), options)).rejects.toThrow('aborted');
});

import { expect, test } from 'vitest';
import { retrySetup } from './retry-setup.ts';

test('a step that fails is run again, and each failure is said', async () => {
  const reasons: string[] = [];
  let attempts = 0;
  const work = (): Promise<string> => {
    attempts += 1;
    return attempts < 2 ? Promise.reject(new Error('not yet')) : Promise.resolve('done');
  };
  expect(await retrySetup(work, (reason) => reasons.push(reason), new AbortController().signal)).toBe('done');
  expect(reasons).toEqual(['not yet']);
});

test('an ABORT ends the repetitions with its own reason', async () => {
  const controller = new AbortController();
  let attempts = 0;
  const work = (): Promise<never> => {
    attempts += 1;
    controller.abort(new Error('Ctrl-C'));
    return Promise.reject(new Error('never'));
  };
  await expect(retrySetup(work, () => undefined, controller.signal)).rejects.toThrow('Ctrl-C');
  expect(attempts).toBe(1);
});

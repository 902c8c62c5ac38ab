import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startDeadline, withinDeadline } from './time-limits.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const late = (): Error => new Error('late');
const never = new Promise<never>(() => undefined);

test('work that is done in time gives its result or its own error, and leaves no timer', async () => {
  expect(await withinDeadline(Promise.resolve(1), 1_000, late)).toBe(1);
  await expect(withinDeadline(Promise.reject(new Error('own')), 1_000, late)).rejects.toThrow(
    'own',
  );
  expect(vi.getTimerCount()).toBe(0);
});

test('work that takes too long fails with the error that is made at that moment', async () => {
  const makeError = vi.fn(late);
  const outcome = withinDeadline(never, 1_000, makeError).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(999);
  expect(makeError).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toEqual(new Error('late'));
  expect(makeError).toHaveBeenCalledOnce();
});

test('work that fails after it was given up is no unhandled rejection', async () => {
  const work = Promise.withResolvers<never>();
  const outcome = withinDeadline(work.promise, 1_000, late).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await outcome).toEqual(new Error('late'));
  work.reject(new Error('too late to matter'));
  await vi.advanceTimersByTimeAsync(1);
});

test('a deadline may pass before anything waits for it', async () => {
  const deadline = startDeadline(1_000, late);
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(deadline.wait(never)).rejects.toThrow('late');
});

test('waits that share a deadline have what is left of it, also when it passes between them', async () => {
  const deadline = startDeadline(1_000, late);
  expect(await deadline.wait(Promise.resolve(1))).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(deadline.wait(never)).rejects.toThrow('late');
  deadline.end();
  expect(vi.getTimerCount()).toBe(0);
});

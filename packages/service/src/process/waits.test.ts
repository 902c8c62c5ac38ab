import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { backoffMs, createBackoff } from './backoff.ts';
import {
  createElapsedClock,
  retryUntilReady,
  startDeadline,
  withinDeadline,
  type ElapsedClock,
} from './waits.ts';

describe('backoff', () => {
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

  test('the jitter goes past the limit too, so that clients at the limit do not return together', () => {
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

  test('the waits between tries grow, within the limit and 20 % of jitter', async () => {
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

  test('a fatal error is not retried', async () => {
    const fatal = new Error('settings');
    const options = {
      signal: new AbortController().signal,
      onRetry: () => expect.unreachable(),
      isFatal: () => true,
    };
    await expect(retryUntilReady(() => Promise.reject(fatal), options)).rejects.toBe(fatal);
  });

  test('an abort ends the wait', async () => {
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
});

describe('deadlines', () => {
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
});

describe('the elapsed clock', () => {
  let monotonicMs: number;
  let clock: ElapsedClock;

  beforeEach(() => {
    vi.useFakeTimers();
    monotonicMs = 5_000;
    clock = createElapsedClock(1_000, () => monotonicMs);
  });
  afterEach(() => {
    clock.stop();
    vi.useRealTimers();
  });

  /** Lets time pass in steps that are smaller than a tick. */
  function pass(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      monotonicMs += 100;
      vi.advanceTimersByTime(100);
    }
  }

  it('begins at zero and counts the time between two ticks too', () => {
    expect(clock.now()).toBe(0);
    pass(2_500);
    expect(clock.now()).toBe(2_500);
  });

  it('counts a stop of the whole process as two ticks at most, and never runs backwards', () => {
    pass(10_000);
    // Stopped for an hour: the monotonic clock ran on, no timer fired.
    monotonicMs += 3_600_000;
    expect(clock.now()).toBe(12_000);
    pass(100);
    const afterwards = clock.now();
    expect(afterwards).toBeLessThanOrEqual(12_200);
    expect(afterwards).toBeGreaterThanOrEqual(12_000);
    pass(3_000);
    expect(clock.now()).toBeGreaterThanOrEqual(14_000);
    expect(clock.now()).toBeLessThanOrEqual(15_200);
  });

  it('gives all callers of a moment the same time, also while a tick is overdue', () => {
    monotonicMs += 1_700;
    expect([clock.now(), clock.now()]).toEqual([1_700, 1_700]);
  });
});

import { setTimeout as wait } from 'node:timers/promises';
import { createBackoff } from './backoff.ts';

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Called after every failed try, with the wait that follows. */
  readonly onRetry: (error: unknown, delayMs: number) => void;
  /** A fault that waiting cannot repair ends the retries. */
  readonly isFatal?: (error: unknown) => boolean;
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
}

/**
 * Tries until it succeeds, with doubling, jittered waits; an abort of `signal` ends it with the
 * signal's reason.
 */
export async function retryUntilReady<Result>(
  attempt: () => Promise<Result>,
  options: RetryOptions,
): Promise<Result> {
  const { signal, onRetry, isFatal, firstDelayMs = 200, maxDelayMs = 5_000 } = options;
  const backoff = createBackoff({ firstMs: firstDelayMs, maxMs: maxDelayMs, jitter: 0.2 });
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (isFatal?.(error)) throw error;
      const delayMs = backoff.next();
      onRetry(error, delayMs);
      await wait(delayMs, undefined, { signal });
    }
  }
}

/** A time limit that several waits share. Ends with `end`, or its timer would hold the process. */
export interface Deadline {
  /** What `work` gives; rejects with the deadline's error once that has passed. */
  wait<Result>(work: Promise<Result>): Promise<Result>;
  end(): void;
}

/**
 * Starts the time; `late` makes the error when it has passed, and does what must be done at that
 * moment.
 */
export function startDeadline(deadlineMs: number, late: () => Error): Deadline {
  const passed = Promise.withResolvers<never>();
  // It may pass between two waits.
  passed.promise.catch(() => undefined);
  const timer = setTimeout(() => passed.reject(late()), deadlineMs);
  return {
    wait: (work) => Promise.race([work, passed.promise]),
    end: () => clearTimeout(timer),
  };
}

/**
 * What `work` gives, or an error of `late` when that takes longer than `deadlineMs`.
 *
 * Work that was given up goes on and may still succeed; what it fails with then is not reported. A
 * request of `fetch` takes `AbortSignal.timeout` instead: that ends the request itself.
 */
export async function withinDeadline<Result>(
  work: Promise<Result>,
  deadlineMs: number,
  late: () => Error,
): Promise<Result> {
  const deadline = startDeadline(deadlineMs, late);
  try {
    return await deadline.wait(work);
  } finally {
    deadline.end();
  }
}

/** Milliseconds in which this process was not stopped; only differences mean anything. */
export interface ElapsedClock {
  now(): number;
  stop(): void;
}

const defaultTickMs = 1_000;

/**
 * A clock for waits and limits: a sum of timer ticks, each capped at twice its interval.
 *
 * The system's clock can be set, and even the monotonic one runs on while the whole process stands
 * still (SIGSTOP, a frozen container, a suspended machine): time in which nothing could have been
 * done, so no limit may count it.
 */
export function createElapsedClock(
  tickMs = defaultTickMs,
  readMonotonicMs: () => number = () => performance.now(),
): ElapsedClock {
  let sumMs = 0;
  let tickedAtMs = readMonotonicMs();
  const sinceTickMs = (): number => Math.min(readMonotonicMs() - tickedAtMs, 2 * tickMs);
  const timer = setInterval(() => {
    sumMs += sinceTickMs();
    tickedAtMs = readMonotonicMs();
  }, tickMs);
  timer.unref();
  return {
    now: () => sumMs + sinceTickMs(),
    stop: () => clearInterval(timer),
  };
}

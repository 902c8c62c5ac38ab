/** Time that this process has really had, in milliseconds; for differences only. */
export interface ElapsedClock {
  now(): number;
  stop(): void;
}

const defaultTickMs = 1_000;

/**
 * A clock for waits and limits: a sum of timer ticks, each capped at twice its interval.
 *
 * The system's clock can be set, and even the monotonic one runs on while the whole process stands still (SIGSTOP, a frozen
 * container, a suspended machine): time in which nothing could have been done, so no limit may count it.
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

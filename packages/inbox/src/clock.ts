/** Every clock and timer of the inbox, so that a simulation can have its own. */
export interface InboxClock {
  /**
   * Milliseconds since the epoch, for what is stored and shown; a clock that may be set at any
   * time.
   */
  now(): number;
  /** Time that this process has really had, in milliseconds, for waits and limits. */
  elapsedMs(): number;
  /** Calls `work` after so many milliseconds; the returned function prevents that. */
  after(ms: number, work: () => void): () => void;
}

/** `elapsedMs`: of the process; see `createElapsedClock`. */
export function systemClock(elapsedMs: () => number): InboxClock {
  return {
    now: () => Date.now(),
    elapsedMs,
    after(ms, work) {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  };
}

/**
 * Runs work again and again, with a pause after each run; the returned function resolves once the
 * run in hand is done, which may ask whether it is to stop.
 */
export function repeat(
  clock: Pick<InboxClock, 'after'>,
  everyMs: number,
  work: (isStopped: () => boolean) => Promise<void>,
): () => Promise<void> {
  let isStopped = false;
  let cancel = (): void => undefined;
  let running = Promise.resolve();

  async function run(): Promise<void> {
    await work(() => isStopped);
    if (!isStopped) cancel = clock.after(everyMs, start);
  }
  function start(): void {
    running = run();
  }
  start();

  return async () => {
    isStopped = true;
    cancel();
    await running;
  };
}

import { setTimeout as wait } from 'node:timers/promises';

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Says every failed try, with its wait. */
  readonly onRetry: (error: unknown, delayMs: number) => void;
  /** A fault that waiting cannot mend ends the retries. */
  readonly isFatal?: (error: unknown) => boolean;
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
}

/** Tries until it succeeds, with doubling, jittered waits; an abort of `signal` ends it with the signal's reason. */
export async function retryUntilReady<Result>(attempt: () => Promise<Result>, options: RetryOptions): Promise<Result> {
  const { signal, onRetry, isFatal, firstDelayMs = 200, maxDelayMs = 5_000 } = options;
  for (let tries = 0; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (isFatal?.(error)) throw error;
      const delayMs = jitter(Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(tries, 20)));
      onRetry(error, delayMs);
      await wait(delayMs, undefined, { signal });
    }
  }
}

function jitter(delayMs: number): number {
  return Math.round(delayMs * (0.8 + Math.random() * 0.4));
}

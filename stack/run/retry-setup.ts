import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '@board/service';

const maxAttempts = 4;

/**
 * Runs a setup step again when it fails: each of them may be repeated, and servers that have just started (a topic
 * whose leaders are not known everywhere yet) refuse now what they do a second later.
 */
export async function retrySetup<T>(
  work: () => Promise<T>,
  onFailure: (reason: string) => void,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === maxAttempts) throw error;
      onFailure(printable(error instanceof Error ? error.message : String(error)));
      await delay(500 * attempt, undefined, { signal });
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 500;

/**
 * Repeats, whatever it fails with, what takes a connector out of a state in which it ships nothing
 * or not as it should: the way back must not depend on one answer of a Connect that may be starting
 * again. The last failure is thrown after a minute.
 */
export async function keepTrying<Result>(
  work: () => Promise<Result>,
  patienceMs = 60_000,
): Promise<Result> {
  for (const deadline = performance.now() + patienceMs; ; await delay(pollMs)) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
  }
}

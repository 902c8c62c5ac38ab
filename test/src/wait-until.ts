import { setTimeout as wait } from 'node:timers/promises';

/**
 * Asks until the answer is neither undefined nor false; throws with what was awaited when the time
 * is over.
 */
export async function waitUntil<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  { timeoutMs = 30_000, everyMs = 50 } = {},
): Promise<Answer> {
  const endsAt = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= endsAt)
      throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
    await wait(everyMs);
  }
}

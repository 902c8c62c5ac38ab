import { setTimeout as delay } from 'node:timers/promises';

/** Probes until the answer is undefined (ready); at the deadline it throws with the last answer. */
export async function waitUntilReady(
  what: string,
  probe: () => Promise<string | undefined>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = Date.now();
  for (;;) {
    const problem = await probe().catch((error: unknown) => describe(error));
    if (problem === undefined) return;
    signal.throwIfAborted();
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > timeoutMs) {
      throw new Error(`${what} was not ready within ${timeoutMs / 1000} s: ${problem}`);
    }
    // What takes longer than a start is not asked ten times a second for hours.
    await delay(waitedMs < 20_000 ? 100 : 1000, undefined, { signal });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

import { setTimeout as delay } from 'node:timers/promises';

/** A server without which a command cannot go on. */
export interface NeededServer {
  /** With its address, for people: "MySQL at 127.0.0.1:3306". */
  readonly name: string;
  /**
   * Settles, well or badly, as soon as the server says anything; a server that is frozen says
   * nothing.
   */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * How long a server may say nothing before a command that needs it ends, and how often it is asked
 * in that time.
 */
const defaultDeadlineMs = 60_000;
const rounds = 5;

/**
 * Asks each server now and then, beside the command's own work, and calls `end` once one has said
 * nothing for the deadline. Not the work is timed but the server: a long audit and a slow statement
 * go on, while a server that accepts connections and answers nothing ends the command, whatever
 * library waits for it and however that waits. Returns what stops it.
 */
export function endWhenSilent(
  servers: readonly NeededServer[],
  end: (reason: string) => void,
  deadlineMs = defaultDeadlineMs,
): () => void {
  const stopped = new AbortController();
  for (const server of servers) void watch(server, end, deadlineMs, stopped.signal);
  return () => stopped.abort();
}

/** Settles as soon as an HTTP server answers, whatever it says. */
export function askHttp(url: string, signal: AbortSignal): Promise<unknown> {
  return fetch(url, { signal }).then((response) => response.body?.cancel());
}

async function watch(
  { name, ask }: NeededServer,
  end: (reason: string) => void,
  deadlineMs: number,
  stopped: AbortSignal,
): Promise<void> {
  // A round is a pause and a wait for the answer.
  const pause = (): Promise<unknown> =>
    delay(deadlineMs / rounds / 2, undefined, { ref: false, signal: stopped }).catch(
      () => undefined,
    );
  // Rounds are counted, not time: while the process itself stood still, no server can be blamed.
  for (let silentRounds = 0; !stopped.aborted;) {
    await pause();
    if (stopped.aborted) return;
    const given = new AbortController();
    const answer = ask(AbortSignal.any([given.signal, stopped])).then(
      () => true,
      () => true,
    );
    const hasAnswered = await Promise.race([answer, pause().then(() => false)]);
    given.abort();
    silentRounds = hasAnswered ? 0 : silentRounds + 1;
    if (silentRounds >= rounds && !stopped.aborted) return end(explain(name, deadlineMs));
  }
}

function explain(name: string, deadlineMs: number): string {
  return (
    `${name} has said nothing for ${deadlineMs / 1_000} s, though it may accept connections: it is frozen, overloaded or cut off. ` +
    `See what it does ("npm run stack -- status" and its log for a local stack), then run the command again.`
  );
}

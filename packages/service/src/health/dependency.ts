import { setTimeout as delay } from 'node:timers/promises';
import { retryUntilReady } from '../process/waits.ts';
import { reasonOf, type Logger } from '../process/telemetry.ts';
import type { Alarms, Readiness } from './health.ts';

/** What a wait for a dependency reports to, and what ends it. */
export interface Waiting {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly alarms: Alarms;
  /** Time in which this process was not stopped. */
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** A fault that waiting cannot repair. */
  readonly isFatal?: (error: unknown) => boolean;
}

/** A server without which the process cannot begin. */
export interface Dependency {
  readonly name: string;
  /** Which server it is and where, for an operator: `MySQL at 127.0.0.1:3306`. */
  readonly server: string;
}

/**
 * Tries until the dependency answers; meanwhile readiness is red with the reason, the log has each
 * try, and an alarm is raised after 20 s.
 */
export async function waitForDependency(
  { name, server }: Dependency,
  waiting: Waiting,
  attempt: () => Promise<void>,
): Promise<void> {
  const { logger, readiness, alarms, elapsedMs, signal, isFatal } = waiting;
  const outage = createOutageAlarm({
    alarms,
    key: name,
    what: `${server} cannot be used`,
    elapsedMs,
  });
  const state = readiness.state(name, 'not asked yet');
  try {
    await retryUntilReady(attempt, {
      signal,
      ...(isFatal ? { isFatal } : {}),
      onRetry(error, delayMs) {
        outage.failed(error);
        state.notReady(reasonOf(error));
        logger.warn({
          event: 'dependency.waiting',
          dependency: name,
          reason: reasonOf(error),
          delayMs,
        });
      },
    });
  } finally {
    outage.stop();
  }
  state.ready();
  logger.info({ event: 'dependency.ready', dependency: name });
}

/** The alarm of one server; it is fed each answer and each failure. */
export interface OutageAlarm {
  /** The server did what it was asked for. */
  answered(): void;
  /** It did not; the alarm of a lasting outage shows the error. */
  failed(error: unknown): void;
  /** No more questions: clears the alarm. */
  stop(): void;
}

export interface OutageAlarmOptions {
  readonly alarms: Alarms;
  readonly key: string;
  /**
   * What cannot be done, and which server is to do it: `MySQL at 127.0.0.1:3306 cannot be used`.
   */
  readonly what: string;
  /**
   * Time in which this process was not stopped: one that was frozen must not blame the server.
   */
  readonly elapsedMs: () => number;
  readonly now?: () => Date;
}

/** A restart of the server is over by then. */
const graceMs = 20_000;
const checkEveryMs = 1_000;

/**
 * Raises an alarm once a server has not answered for 20 s and clears it with the next answer. The
 * question may itself stay unanswered for long, so a timer checks, not the failure.
 */
export function createOutageAlarm(options: OutageAlarmOptions): OutageAlarm {
  const { alarms, key, what, elapsedMs, now = () => new Date() } = options;
  let answeredAtMs = elapsedMs();
  let since = now();
  let reason = 'no answer';

  const timer = setInterval(() => {
    if (elapsedMs() - answeredAtMs < graceMs) return;
    alarms.raise(
      key,
      `${what} since ${since.toISOString()}: ${reason}; docs/runbook.md "A server does not answer"`,
    );
  }, checkEveryMs);
  timer.unref();

  return {
    answered() {
      answeredAtMs = elapsedMs();
      since = now();
      reason = 'no answer';
      alarms.clear(key);
    },
    failed(error) {
      reason = reasonOf(error);
    },
    stop() {
      clearInterval(timer);
      alarms.clear(key);
    },
  };
}

/** A server without which a command cannot go on. */
export interface NeededServer {
  /** With its address, for an operator: "MySQL at 127.0.0.1:3306". */
  readonly name: string;
  /**
   * Resolves or rejects as soon as the server answers anything; a frozen server never does.
   */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * How long a server may be silent before a command that needs it ends, and how often it is asked in
 * that time.
 */
const defaultDeadlineMs = 60_000;
const rounds = 5;

/**
 * Asks each server now and then, beside the command's own work, and calls `end` once one has been
 * silent for the deadline. Not the work is timed but the server: a long audit and a slow statement
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

/** Resolves as soon as an HTTP server answers with any status; rejects when it is unreachable. */
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

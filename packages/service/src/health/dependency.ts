import { retryUntilReady } from '../process/backoff.ts';
import { reasonOf, type Logger } from '../process/telemetry.ts';
import type { Alarms, Readiness } from './health.ts';

export interface Waiting {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly alarms: Alarms;
  /** Time that this process has really had. */
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** A fault that waiting cannot repair. */
  readonly isFatal?: (error: unknown) => boolean;
}

export interface Dependency {
  readonly name: string;
  /** Which server it is and where, for an operator: `MySQL at 127.0.0.1:3306`. */
  readonly server: string;
}

/**
 * Tries until the dependency answers; meanwhile readiness is red with the reason, the log says
 * every try, and an alarm that it lasts.
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

export interface OutageAlarm {
  /** The server did what it was asked for. */
  answered(): void;
  /** It did not; the error is told once the outage lasts. */
  failed(error: unknown): void;
  /** Nothing is asked any more. */
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
   * Time that this process has really had: one that was frozen itself must not blame the server.
   */
  readonly elapsedMs: () => number;
  readonly now?: () => Date;
}

/** A restart of the server is over by then. */
const graceMs = 20_000;
const lookEveryMs = 1_000;

/**
 * Raises an alarm once a server has not answered for 20 s and clears it with the next answer. The
 * question may itself stay unanswered for long, so it is a timer that looks, not the failure.
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
  }, lookEveryMs);
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

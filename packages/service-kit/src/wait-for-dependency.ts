import type { Logger } from './create-logger.ts';
import type { Alarms } from './health/alarms.ts';
import { createOutageAlarm } from './health/outage-alarm.ts';
import type { Readiness } from './health/readiness.ts';
import { reasonOf } from './reason-of.ts';
import { retryUntilReady } from './backoff.ts';

export interface Waiting {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly alarms: Alarms;
  /** Time that this process has really had. */
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** A fault that waiting cannot mend. */
  readonly isFatal?: (error: unknown) => boolean;
}

export interface Dependency {
  readonly name: string;
  /** Which server it is and where, for an operator: `MySQL at 127.0.0.1:3306`. */
  readonly server: string;
}

/** Tries until the dependency answers; meanwhile readiness is red with the reason, the log says every try, and an alarm that it lasts. */
export async function waitForDependency(
  { name, server }: Dependency,
  waiting: Waiting,
  attempt: () => Promise<void>,
): Promise<void> {
  const { logger, readiness, alarms, elapsedMs, signal, isFatal } = waiting;
  const outage = createOutageAlarm({ alarms, key: name, what: `${server} cannot be used`, elapsedMs });
  const state = readiness.state(name, 'not asked yet');
  try {
    await retryUntilReady(attempt, {
      signal,
      ...(isFatal ? { isFatal } : {}),
      onRetry(error, delayMs) {
        outage.failed(error);
        state.notReady(reasonOf(error));
        logger.warn({ event: 'dependency.waiting', dependency: name, reason: reasonOf(error), delayMs });
      },
    });
  } finally {
    outage.stop();
  }
  state.ready();
  logger.info({ event: 'dependency.ready', dependency: name });
}

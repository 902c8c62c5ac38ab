import type { Logger } from './create-logger.ts';
import type { Readiness } from './health/readiness.ts';
import { retryUntilReady } from './retry-until-ready.ts';

export interface Waiting {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly signal: AbortSignal;
  /** A fault that waiting cannot mend. */
  readonly isFatal?: (error: unknown) => boolean;
}

/** Tries until the dependency answers; meanwhile readiness is red with the reason and the log says every try. */
export async function waitForDependency(name: string, waiting: Waiting, attempt: () => Promise<void>): Promise<void> {
  const { logger, readiness, signal, isFatal } = waiting;
  const state = readiness.state(name, 'not asked yet');
  await retryUntilReady(attempt, {
    signal,
    ...(isFatal ? { isFatal } : {}),
    onRetry(error, delayMs) {
      state.notReady(reasonOf(error));
      logger.warn({ event: 'dependency.waiting', dependency: name, reason: reasonOf(error), delayMs });
    },
  });
  state.ready();
  logger.info({ event: 'dependency.ready', dependency: name });
}

/** The innermost cause says most: fetch calls every failure "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${reasonOf(error.cause)}` : error.message || error.name;
}

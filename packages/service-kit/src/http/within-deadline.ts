import { Problem } from './problem.ts';
import type { ServiceContext } from './service-router.ts';

export interface Deadline {
  readonly deadlineMs: number;
  /** What the client is told when it passes. */
  readonly detail: string;
}

/**
 * What `work` gives, or 503 when that takes too long.
 *
 * Work that was given up goes on and may still succeed: only the wait for it ends.
 */
export async function withinDeadline<Result>(
  ctx: ServiceContext,
  { deadlineMs, detail }: Deadline,
  work: Promise<Result>,
): Promise<Result> {
  const { logger } = ctx.state;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    work.catch((err: unknown) => logger.warn({ event: 'http.late-failure', err }));
    late.reject(new Problem(503, { detail, headers: { 'Retry-After': '1' } }));
  }, deadlineMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

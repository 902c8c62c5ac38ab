import { withinDeadline } from '../deadline.ts';
import { Problem } from './problem.ts';
import type { ServiceContext } from './service-router.ts';

export interface AnswerDeadline {
  readonly deadlineMs: number;
  /** What the client is told when it passes. */
  readonly detail: string;
}

/** What `work` gives, or 503 when that takes too long; what it fails with then is logged. */
export async function answerInTime<Result>(
  ctx: ServiceContext,
  { deadlineMs, detail }: AnswerDeadline,
  work: Promise<Result>,
): Promise<Result> {
  const { logger } = ctx.state;
  return withinDeadline(work, deadlineMs, () => {
    work.catch((err: unknown) => logger.warn({ event: 'http.late-failure', err }));
    return new Problem(503, { detail, headers: { 'Retry-After': '1' } });
  });
}

import { HttpError } from 'koa';
import { UnavailableError } from '../unavailable-error.ts';
import { Problem } from './problem.ts';
import type { ServiceMiddleware } from './service-router.ts';

/** The edge: every error becomes a problem+json answer; what nobody expected is logged and answered without detail. */
export const answerProblems: ServiceMiddleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status >= 500) {
      const level = problem.status === 500 ? 'error' : 'warn';
      ctx.state.logger[level]({ event: 'http.problem', status: problem.status, err: error });
    }
    ctx.status = problem.status;
    ctx.set({ ...problem.headers });
    ctx.body = JSON.stringify(problem);
    ctx.type = 'application/problem+json';
  }
};

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HttpError && error.expose) return new Problem(error.status, { detail: error.message });
  if (error instanceof UnavailableError) {
    return new Problem(503, { detail: error.message, headers: { 'Retry-After': '1' }, cause: error });
  }
  return new Problem(500, { cause: error });
}

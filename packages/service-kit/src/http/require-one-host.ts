import { Problem } from './problem.ts';
import type { ServiceMiddleware } from './service-router.ts';

/** RFC 9112: none, or more than one, is how requests are smuggled past a proxy. HTTP/1.0 does without. */
export const requireOneHost: ServiceMiddleware = (ctx, next) => {
  const hosts = ctx.req.headersDistinct['host']?.length ?? 0;
  if (hosts > 1 || (hosts === 0 && ctx.req.httpVersion === '1.1')) {
    throw new Problem(400, { detail: 'A request names its Host, once.', headers: { Connection: 'close' } });
  }
  return next();
};

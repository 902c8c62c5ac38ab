import { Problem } from './problem.ts';
import type { ServiceMiddleware } from './service-router.ts';

/** Runs after all routers, so only when none took the request: 405 when the path is known, else 404. */
export const answerUnrouted: ServiceMiddleware = (ctx) => {
  const allowed = allowedMethods(ctx['matched']);
  if (allowed.length === 0) throw new Problem(404, { detail: 'There is nothing at this path.' });
  const Allow = allowed.join(', ');
  if (ctx.method !== 'OPTIONS') {
    throw new Problem(405, { detail: `This path takes ${Allow}.`, headers: { Allow } });
  }
  ctx.status = 204;
  ctx.set({ Allow });
};

/** @koa/router leaves the layers whose path fits in `ctx.matched`, whatever their method. */
function allowedMethods(matched: unknown): string[] {
  const layers: readonly { readonly methods: readonly string[] }[] = Array.isArray(matched) ? matched : [];
  return [...new Set(layers.flatMap((layer) => layer.methods))].sort();
}

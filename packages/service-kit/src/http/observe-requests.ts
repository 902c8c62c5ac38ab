import { randomUUID } from 'node:crypto';
import { Histogram, type Registry } from 'prom-client';
import type { Logger } from '../create-logger.ts';
import { readTraceparent } from './read-traceparent.ts';
import type { ServiceMiddleware } from './service-router.ts';

const requestIdShape = /^[A-Za-z0-9_-]{1,64}$/;

/** Asked every few seconds by machines: not worth a line each. */
const quietRoutes = new Set(['/healthz', '/readyz', '/alarms', '/metrics']);

/** Gives each request an id, a trace, one log line and its place in the route's latency histogram. */
export function observeRequests(logger: Logger, metrics: Registry): ServiceMiddleware {
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request to its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  });

  return async (ctx, next) => {
    const begin = performance.now();
    const given = ctx.get('x-request-id');
    const requestId = requestIdShape.test(given) ? given : randomUUID();
    const traceparent = readTraceparent(ctx.get('traceparent'));
    const traceId = traceparent.split('-')[1];
    ctx.state = { requestId, traceparent, receivedAt: new Date(), logger: logger.child({ requestId, traceId }) };
    ctx.set('X-Request-Id', requestId);
    await next();

    const durationMs = performance.now() - begin;
    const { method, status } = ctx;
    const matchedRoute: unknown = ctx['_matchedRoute'];
    const route = typeof matchedRoute === 'string' ? matchedRoute : 'none';
    duration.observe({ method, route, status }, durationMs / 1_000);
    // The path only: a query may carry what people wrote.
    const { path } = ctx;
    const line = { event: 'http.request', method, route, path, status, durationMs: Math.round(durationMs) };
    ctx.state.logger[quietRoutes.has(route) ? 'debug' : 'info'](line);
  };
}

import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import type { DefaultContext, Middleware, ParameterizedContext } from 'koa';
import { Histogram, type Registry } from 'prom-client';
import type { Logger } from '../process/telemetry.ts';

/** What the server knows of a request before a route sees it. */
export interface RequestState {
  requestId: string;
  /** W3C trace context: the client's, or a new one. */
  traceparent: string;
  receivedAt: Date;
  /** Writes the request id and the trace id on every line. */
  logger: Logger;
}

/** Koa's types with the state of our requests. */
export type ServiceRouter = Router<RequestState>;
export type ServiceMiddleware = Middleware<RequestState>;
export type ServiceContext = ParameterizedContext<RequestState, DefaultContext>;

const requestIdShape = /^[A-Za-z0-9_-]{1,64}$/;

/** Asked every few seconds by machines: not worth a line each. */
const quietRoutes = new Set(['/healthz', '/readyz', '/alarms', '/metrics']);

/**
 * Gives each request an id, a trace, one log line and its place in the route's latency histogram.
 */
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
    ctx.state = {
      requestId,
      traceparent,
      receivedAt: new Date(),
      logger: logger.child({ requestId, traceId }),
    };
    ctx.set('X-Request-Id', requestId);
    await next();

    const durationMs = performance.now() - begin;
    const { method, status } = ctx;
    const matchedRoute: unknown = ctx['_matchedRoute'];
    const route = typeof matchedRoute === 'string' ? matchedRoute : 'none';
    duration.observe({ method, route, status }, durationMs / 1_000);
    // The path only: a query may carry personal texts.
    const { path } = ctx;
    const line = {
      event: 'http.request',
      method,
      route,
      path,
      status,
      durationMs: Math.round(durationMs),
    };
    ctx.state.logger[quietRoutes.has(route) ? 'debug' : 'info'](line);
  };
}

const traceparentShape =
  /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-.*)?$/;

/**
 * The W3C trace context of a request: the one that it brought, or a new one, which is also the
 * answer to a bad header.
 *
 * Later versions of the header are read as far as version 00 defines them, as the standard
 * prescribes.
 */
export function readTraceparent(header: string): string {
  const [, version, rest, more] = traceparentShape.exec(header) ?? [];
  if (rest !== undefined && !(version === '00' && more !== undefined)) return `00-${rest}`;
  return `00-${randomHex()}-${randomHex().slice(0, 16)}-01`;
}

/**
 * A random UUID is never all zeros, which would mean: no id. Node makes them in stock, single
 * random bytes cost several times as much.
 */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import Router from '@koa/router';
import Koa from 'koa';
import helmet from 'koa-helmet';
import type { Registry } from 'prom-client';
import type { Logger } from '../create-logger.ts';
import type { Health } from '../health/create-health.ts';
import type { Scope } from '../scope.ts';
import { answerClientError } from './answer-client-error.ts';
import { answerPlainly } from './answer-plainly.ts';
import { answerProblems } from './answer-problems.ts';
import { answerUnrouted } from './answer-unrouted.ts';
import { closeServer } from './close-server.ts';
import { handleInTurn } from './handle-in-turn.ts';
import { defaultHttpLimits, type HttpLimits } from './http-limits.ts';
import { observeRequests } from './observe-requests.ts';
import { originForm } from './origin-form.ts';
import { Problem } from './problem.ts';
import { requireOneHost } from './require-one-host.ts';
import type { RequestState, ServiceRouter } from './service-router.ts';

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  readonly routers: readonly ServiceRouter[];
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  /** For `node:http`, and for tests without a port. */
  readonly callback: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /**
   * Listens until the scope closes, which lets running requests finish; resolves to the port (`port` 0 takes a free one).
   *
   * From the beginning of the close `/readyz` is red; for `drainMs` more the server goes on, so that balancers can look away.
   */
  listen(scope: Scope, host: string, port: number, drainMs?: number): Promise<number>;
}

/** The edge of a service: request id, log, latency, security headers, problem+json; then the routers; `/metrics` and health. */
export function createHttpServer({ logger, metrics, health, routers, limits: given }: HttpServerOptions): HttpServer {
  const limits = { ...defaultHttpLimits, ...given };
  const app = new Koa<RequestState>();
  const all = [...routers, health.router, metricsRouter(metrics)];
  app.use(observeRequests(logger, metrics));
  app.use(helmet());
  app.use(answerProblems);
  app.use(requireOneHost);
  for (const router of all) app.use(router.routes());
  app.use(answerUnrouted);
  // What reaches this is a broken connection while an answer was written; it has no other reader.
  app.on('error', (error: Error) => logger.warn({ event: 'http.connection-error', err: error }));
  const handle = app.callback();
  const callback: HttpServer['callback'] = (request, response) => {
    // Koa fails on a URL that it cannot read, even in its own error handler.
    request.url = originForm(request.url ?? '/');
    return handle(request, response);
  };

  async function listen(scope: Scope, host: string, port: number, drainMs = 0): Promise<number> {
    const inTurn = handleInTurn((request, response) => {
      // While closing, an answer takes its connection along; Node would keep it open for the next request.
      if (scope.signal.aborted) response.setHeader('Connection', 'close');
      return callback(request, response);
    }, limits.waitingRequests);
    const server = createServer(
      {
        headersTimeout: limits.headMs,
        requestTimeout: limits.requestMs,
        keepAliveTimeout: limits.keepAliveMs,
        connectionsCheckingInterval: limits.lookEveryMs,
        maxHeaderSize: 16_384,
        // Node would answer without a problem: `requireOneHost` does it.
        requireHostHeader: false,
      },
      (request, response) => void inTurn.handle(request, response),
    );
    server.setTimeout(limits.silenceMs);
    server.maxConnections = limits.connections;
    server.on('clientError', (error, socket) => {
      if (!inTurn.breakOff(socket)) answerClientError(error, socket);
    });
    server.on('checkExpectation', (_, response) => answerPlainly(response, new Problem(417)));
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    const bound = typeof address === 'object' && address ? address.port : port;
    health.readiness.check('process', async () => {
      if (scope.signal.aborted) throw new Error('closing');
    });
    // Counted from the beginning of the close: what closes before the server uses the same time.
    const drained = Promise.withResolvers<void>();
    if (drainMs === 0) drained.resolve();
    scope.signal.addEventListener('abort', () => drained.resolve(wait(drainMs)));
    scope.defer('http server', async () => {
      await drained.promise;
      await closeServer(server);
    });
    logger.info({ event: 'http.listening', host, port: bound });
    return bound;
  }

  return { callback, listen };
}

function metricsRouter(metrics: Registry): ServiceRouter {
  const router: ServiceRouter = new Router();
  router.get('/metrics', async (ctx) => {
    ctx.body = await metrics.metrics();
    ctx.type = metrics.contentType;
  });
  return router;
}

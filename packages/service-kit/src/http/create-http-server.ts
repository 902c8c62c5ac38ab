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
import { answerProblems } from './answer-problems.ts';
import { answerUnrouted } from './answer-unrouted.ts';
import { closeServer } from './close-server.ts';
import { observeRequests } from './observe-requests.ts';
import type { RequestState, ServiceRouter } from './service-router.ts';

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  readonly routers: readonly ServiceRouter[];
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
export function createHttpServer({ logger, metrics, health, routers }: HttpServerOptions): HttpServer {
  const app = new Koa<RequestState>();
  const all = [...routers, health.router, metricsRouter(metrics)];
  app.use(observeRequests(logger, metrics));
  app.use(helmet());
  app.use(answerProblems);
  for (const router of all) app.use(router.routes());
  app.use(answerUnrouted);
  // What reaches this is a broken connection while an answer was written; it has no other reader.
  app.on('error', (error: Error) => logger.warn({ event: 'http.connection-error', err: error }));
  const callback = app.callback();

  async function listen(scope: Scope, host: string, port: number, drainMs = 0): Promise<number> {
    const server = createServer(
      { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
      (request, response) => {
        // While closing, an answer takes its connection along; Node would keep it open for the next request.
        if (scope.signal.aborted) response.setHeader('Connection', 'close');
        void callback(request, response);
      },
    );
    server.on('clientError', answerClientError);
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

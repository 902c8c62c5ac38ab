import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import Koa from 'koa';
import helmet from 'koa-helmet';
import type { Registry } from 'prom-client';
import type { Scope } from '../process/run-service.ts';
import type { Logger } from '../process/telemetry.ts';
import { handleInTurn } from './handle-in-turn.ts';
import {
  observeRequests,
  type RequestState,
  type ServiceMiddleware,
  type ServiceRouter,
} from './observe-requests.ts';
import {
  answerClientError,
  answerPlainly,
  answerProblems,
  answerUnrouted,
  Problem,
} from './problem.ts';
import { metricsRouter, type Health } from './service-routers.ts';

/** What a server is made of; `limits` replace single defaults. */
export interface HttpServerOptions {
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  readonly routers: readonly ServiceRouter[];
  readonly limits?: Partial<HttpLimits>;
}

/** A server that does not listen yet. */
export interface HttpServer {
  /** For `node:http`, and for tests without a port. */
  readonly callback: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /**
   * Listens until the scope closes, which lets running requests finish; resolves to the port
   * (`port` 0 takes a free one).
   *
   * From the beginning of the close `/readyz` is red; the server serves on for `shutdownDelayMs`,
   * so that balancers notice it.
   */
  listen(scope: Scope, host: string, port: number, shutdownDelayMs?: number): Promise<number>;
}

/**
 * The edge of a service: request id, log, latency, security headers, problem+json; then the
 * routers; `/metrics` and health.
 */
export function createHttpServer({
  logger,
  metrics,
  health,
  routers,
  limits: given,
}: HttpServerOptions): HttpServer {
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

  async function listen(
    scope: Scope,
    host: string,
    port: number,
    shutdownDelayMs = 0,
  ): Promise<number> {
    const inTurn = handleInTurn((request, response) => {
      // While closing, an answer takes its connection along; Node would keep it open for the next
      // request.
      if (scope.signal.aborted) response.setHeader('Connection', 'close');
      return callback(request, response);
    }, limits.waitingRequests);
    const server = createServer(
      {
        headersTimeout: limits.headMs,
        requestTimeout: limits.requestMs,
        keepAliveTimeout: limits.keepAliveMs,
        connectionsCheckingInterval: limits.checkEveryMs,
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
    const delayOver = Promise.withResolvers<void>();
    if (shutdownDelayMs === 0) delayOver.resolve();
    scope.signal.addEventListener('abort', () => delayOver.resolve(wait(shutdownDelayMs)));
    scope.defer('http server', async () => {
      await delayOver.promise;
      await closeServer(server);
    });
    logger.info({ event: 'http.listening', host, port: bound });
    return bound;
  }

  return { callback, listen };
}

/** What one client may take from a server, in time and in number. */
export interface HttpLimits {
  /** For the whole head of a request, from the connection or from the last answer's end. */
  readonly headMs: number;
  /** For the whole request. */
  readonly requestMs: number;
  /** Between an answer and the next request. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction: a client that does not read its answer. */
  readonly silenceMs: number;
  /** How often the first two are checked. */
  readonly checkEveryMs: number;
  /** Connections beyond are closed as soon as they are made. */
  readonly connections: number;
  /** Requests that one connection may have sent ahead of the answers. */
  readonly waitingRequests: number;
}

const defaultHttpLimits: HttpLimits = {
  headMs: 10_000,
  requestMs: 30_000,
  // Longer than balancers keep an unused connection (60 s, mostly): a request must not meet one
  // that we are closing.
  keepAliveMs: 75_000,
  silenceMs: 30_000,
  // Node's own 30 s would let a head take 40.
  checkEveryMs: 1_000,
  connections: 10_000,
  waitingRequests: 32,
};

/**
 * RFC 9112: none, or more than one, is how requests are smuggled past a proxy. HTTP/1.0 does
 * without.
 */
const requireOneHost: ServiceMiddleware = (ctx, next) => {
  const hosts = ctx.req.headersDistinct['host']?.length ?? 0;
  if (hosts > 1 || (hosts === 0 && ctx.req.httpVersion === '1.1')) {
    throw new Problem(400, {
      detail: 'A request names its Host, once.',
      headers: { Connection: 'close' },
    });
  }
  return next();
};

/**
 * The path and query of a request's target, which may be a whole URL: what its host is, or whether
 * it is one, is not asked.
 */
export function originForm(target: string): string {
  const path = target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, '');
  return path.startsWith('/') || path === '*' ? path : `/${path}`;
}

/** Requests that run when closing begins may take this long. */
const finishMs = 8_000;

/**
 * Stops accepting, lets running requests finish, closes idle connections, and cuts what is left
 * after a while.
 */
async function closeServer(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), finishMs);
  await closed.promise;
  clearInterval(idle);
  clearTimeout(cut);
}

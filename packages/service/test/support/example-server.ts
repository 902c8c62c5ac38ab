import Router from '@koa/router';
import {
  createHttpServer,
  type HttpLimits,
  type HttpServer,
} from '../../src/http/create-http-server.ts';
import type { ServiceMiddleware, ServiceRouter } from '../../src/http/observe-requests.ts';
import { createHealth, type Health } from '../../src/http/service-routers.ts';
import { createLogger, createMetrics } from '../../src/process/telemetry.ts';

export interface Example extends HttpServer {
  readonly health: Health;
  readonly lines: readonly Record<string, unknown>[];
}

/** A server with one handler at `/things/:id`, and what it has logged. */
export function serveExample(
  handler: ServiceMiddleware = () => undefined,
  limits: Partial<HttpLimits> = {},
): Example {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'test', level: 'debug', destination });
  const router: ServiceRouter = new Router();
  router.get('/things/:id', handler);
  router.post('/things/:id', handler);
  router.delete('/things/:id', handler);
  const health = createHealth();
  const server = createHttpServer({
    logger,
    metrics: createMetrics('test'),
    health,
    routers: [router],
    limits,
  });
  return { ...server, health, lines };
}

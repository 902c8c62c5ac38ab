import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import Router from '@koa/router';
import type { Registry } from 'prom-client';
import { createAlarms, createReadiness, type Alarms, type Readiness } from '../health/health.ts';
import type { ServiceRouter } from './observe-requests.ts';

/** The health of one instance, and the routes that show it. */
export interface Health {
  /** This instance can do its work: what load balancers and rollouts ask. */
  readonly readiness: Readiness;
  /** An operator is needed, whether or not the instance is ready. */
  readonly alarms: Alarms;
  /** `/healthz`, `/readyz`, `/alarms`. */
  readonly router: ServiceRouter;
}

/** Ready and without alarms until the code says otherwise. */
export function createHealth(): Health {
  const readiness = createReadiness();
  const alarms = createAlarms();
  const router: ServiceRouter = new Router();

  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'alive' };
  });

  router.get('/readyz', async (ctx) => {
    const failing = await readiness.failing();
    const ready = Object.keys(failing).length === 0;
    ctx.status = ready ? 200 : 503;
    ctx.body = ready ? { status: 'ready' } : { status: 'not ready', failing };
  });

  router.get('/alarms', (ctx) => {
    const active = Object.fromEntries(alarms.active());
    const quiet = Object.keys(active).length === 0;
    ctx.status = quiet ? 200 : 503;
    ctx.body = quiet ? { status: 'quiet' } : { status: 'alarm', alarms: active };
  });

  return { readiness, alarms, router };
}

/** `/metrics`, in Prometheus's own format. */
export function metricsRouter(metrics: Registry): ServiceRouter {
  const router: ServiceRouter = new Router();
  router.get('/metrics', async (ctx) => {
    ctx.body = await metrics.metrics();
    ctx.type = metrics.contentType;
  });
  return router;
}

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** `validatorUrl` would show the document to an outside host. */
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', validatorUrl: null });\n`;

// Not import.meta.resolve: what loads the test stack does not have it.
const require = createRequire(import.meta.url);

const assets = [
  {
    path: '/docs/swagger-ui.css',
    type: 'text/css; charset=utf-8',
    file: require.resolve('swagger-ui-dist/swagger-ui.css'),
  },
  {
    path: '/docs/swagger-ui-bundle.js',
    type: 'text/javascript; charset=utf-8',
    file: require.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
  },
] as const;

/**
 * Nothing from other hosts, no script in the page; Swagger UI sets styles in place and holds its
 * icons as `data:`.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * `/openapi.json`, and `/docs`, which shows it in a browser: Swagger UI, from this service alone.
 */
export function docsRouter(document: object): ServiceRouter {
  const router: ServiceRouter = new Router();

  router.get('/openapi.json', (ctx) => {
    ctx.body = document;
  });

  router.get('/docs', (ctx) => {
    ctx.set('Content-Security-Policy', policy);
    ctx.type = 'text/html; charset=utf-8';
    ctx.body = page;
  });

  router.get('/docs/start.js', (ctx) => {
    ctx.type = 'text/javascript; charset=utf-8';
    ctx.body = start;
  });

  for (const { path, type, file } of assets) {
    // Read once: a copy for every request would be a megabyte each.
    let content: Promise<Buffer> | undefined;
    router.get(path, async (ctx) => {
      ctx.type = type;
      ctx.set('Cache-Control', 'max-age=3600');
      ctx.body = await (content ??= readFile(file));
    });
  }

  return router;
}

import Router from '@koa/router';
import { createAlarms, type Alarms } from './alarms.ts';
import { createReadiness, type Readiness } from './readiness.ts';

export interface Health {
  /** This instance can do its work: what load balancers and rollouts ask. */
  readonly readiness: Readiness;
  /** A human is needed, whether or not the instance is ready. */
  readonly alarms: Alarms;
  /** `/healthz`, `/readyz`, `/alarms`. */
  readonly router: Router;
}

export function createHealth(): Health {
  const readiness = createReadiness();
  const alarms = createAlarms();
  const router = new Router();

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

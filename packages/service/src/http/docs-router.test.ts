import { expect, test } from 'vitest';
import { ask } from '../../test/support/index.ts';
import { createLogger, createMetrics } from '../process/telemetry.ts';
import { createHttpServer } from './create-http-server.ts';
import { createHealth, docsRouter } from './service-routers.ts';

const { callback } = createHttpServer({
  logger: createLogger({ name: 'test', level: 'silent' }),
  metrics: createMetrics('test'),
  health: createHealth(),
  routers: [docsRouter({ openapi: '3.1.0' })],
});

test('/docs is a page that may load from its service only, and all that it loads is there', async () => {
  const page = await ask(callback, { path: '/docs' });
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|\*/);
  const loads = [...page.text.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map((found) => found[1] ?? '');
  expect(loads).toHaveLength(3);
  for (const path of loads) {
    const answer = await ask(callback, { path });
    expect([answer.status, answer.headers['content-type'], answer.text.length > 50]).toEqual([
      200,
      `text/${path.endsWith('.css') ? 'css' : 'javascript'}; charset=utf-8`,
      true,
    ]);
  }
  expect((await ask(callback, { path: '/openapi.json' })).json()).toEqual({ openapi: '3.1.0' });
});

import { expect, test } from 'vitest';
import { serveExample as serve } from '../../test/support/example-server.ts';
import { ask, askJson } from '../../test/support/index.ts';
import { UnavailableError } from '../process/errors.ts';
import { Problem } from './problem.ts';
import { readJsonBody } from './read-request.ts';
import type { ServiceMiddleware } from './observe-requests.ts';

const problem = (status: number, title: string, rest: object = {}) => ({
  type: 'about:blank',
  title,
  status,
  ...rest,
});

test('a thrown problem becomes problem+json with its fields and headers', async () => {
  const { callback } = serve(() => {
    throw new Problem(422, {
      detail: 'No.',
      errors: [{ field: 'title', wants: 'a text' }],
      headers: { 'X-A': 'b' },
    });
  });
  const answer = await ask(callback, { path: '/things/1' });
  expect(answer.status).toBe(422);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.headers['x-a']).toBe('b');
  const errors = [{ field: 'title', wants: 'a text' }];
  expect(answer.json()).toEqual(problem(422, 'Unprocessable Entity', { detail: 'No.', errors }));
});

test('an unknown error becomes a 500 without its message, and a log line with it', async () => {
  const { callback, lines } = serve(() => {
    throw new Error('secret detail');
  });
  const answer = await ask(callback, { path: '/things/1' });
  expect(answer.json()).toEqual(problem(500, 'Internal Server Error'));
  expect(JSON.stringify(lines.find((line) => line['event'] === 'http.problem'))).toContain(
    'secret detail',
  );
});

test('an UnavailableError becomes 503 with Retry-After', async () => {
  const { callback } = serve(() => {
    throw new UnavailableError('The database is away.');
  });
  const answer = await ask(callback, { path: '/things/1' });
  expect(answer.headers['retry-after']).toBe('1');
  expect(answer.json()).toEqual(
    problem(503, 'Service Unavailable', { detail: 'The database is away.' }),
  );
});

test('an exposed HTTP error of Koa keeps its status and message', async () => {
  const { callback } = serve((ctx) => ctx.throw(402, 'pay'));
  const answer = await ask(callback, { path: '/things/1' });
  expect(answer.json()).toEqual(problem(402, 'Payment Required', { detail: 'pay' }));
});

test('an HTTP error that is not exposed is answered without its message', async () => {
  const { callback } = serve((ctx) => ctx.throw(500, 'secret detail'));
  expect((await ask(callback, { path: '/things/1' })).json()).toEqual(
    problem(500, 'Internal Server Error'),
  );
});

test('an unknown path is 404, an unknown method is 405 with Allow, OPTIONS answers with Allow', async () => {
  const { callback } = serve();
  expect((await ask(callback, { path: '/nothing' })).json()).toMatchObject({ status: 404 });
  expect((await ask(callback, { path: '/things/%E0%A4%A' })).status).toBeLessThan(500);
  for (const [method, status] of [
    ['PUT', 405],
    ['PROPFIND', 405],
    ['OPTIONS', 204],
  ] as const) {
    const answer = await ask(callback, { method, path: '/things/1' });
    expect([answer.status, answer.headers.allow]).toEqual([status, 'DELETE, GET, HEAD, POST']);
  }
});

test('every answer has a request id, one given by the client only when it is harmless', async () => {
  const { callback } = serve((ctx) => void (ctx.body = ctx.state.requestId));
  const given = async (id: string) =>
    (await ask(callback, { path: '/things/1', headers: { 'X-Request-Id': id } })).text;
  expect(await given('abc-1')).toBe('abc-1');
  expect(await given('a b"')).toMatch(/^[0-9a-f-]{36}$/);
  expect((await ask(callback, { path: '/nothing' })).headers['x-request-id']).toMatch(
    /^[0-9a-f-]{36}$/,
  );
});

test('the server logs a line per request without the query, and the latency per route', async () => {
  const { callback, lines } = serve((ctx) => void (ctx.body = 'x'));
  await ask(callback, { path: '/things/1?title=private' });
  await ask(callback, { path: '/healthz' });
  const logged = lines.filter((line) => line['event'] === 'http.request');
  expect(logged).toMatchObject([
    { level: 30, method: 'GET', route: '/things/:id', path: '/things/1', status: 200 },
    { level: 20, route: '/healthz' },
  ]);
  expect(JSON.stringify(lines)).not.toContain('private');
  const metrics = (await ask(callback, { path: '/metrics' })).text;
  expect(metrics).toContain('route="/things/:id",status="200"} 1');
  expect(metrics).toContain('process_cpu_seconds_total{service_instance="test"}');
});

test('a request without a route makes no metric label of its own, whatever it asks for', async () => {
  const { callback } = serve((ctx) => void (ctx.body = 'x'));
  for (let n = 0; n < 20; n += 1) {
    await ask(callback, { path: `/nothing/${n}` });
    await ask(callback, { path: `/things/${n}` });
    await ask(callback, { method: 'PUT', path: `/things/${n}` });
  }
  const metrics = (await ask(callback, { path: '/metrics' })).text;
  const counts = metrics
    .split('\n')
    .filter((line) => line.startsWith('http_request_duration_seconds_count'));
  const labels = counts.map((line) =>
    /method=.*/.exec(line)?.[0].replace(/,service_instance="test"/, ''),
  );
  expect(labels.toSorted()).toEqual([
    'method="GET",route="/things/:id",status="200"} 20',
    'method="GET",route="none",status="404"} 20',
    'method="PUT",route="none",status="405"} 20',
  ]);
});

test('every answer has security headers, errors too', async () => {
  const { callback } = serve();
  expect((await ask(callback, { path: '/nothing' })).headers['x-content-type-options']).toBe(
    'nosniff',
  );
});

test('readiness is red while a check throws, hangs or a state says so, with every reason', async () => {
  const { callback, health } = serve();
  const ready = () => ask(callback, { path: '/readyz' });
  expect((await ready()).status).toBe(200);

  let broken = true;
  health.readiness.check('database', async () => {
    if (broken) throw new Error('connection refused');
  });
  health.readiness.check('stuck', () =>
    broken ? new Promise(() => undefined) : Promise.resolve(),
  );
  const registry = health.readiness.state('registry', 'waiting');
  const red = await ready();
  expect(red.status).toBe(503);
  expect(red.json()).toEqual({
    status: 'not ready',
    failing: {
      database: 'connection refused',
      stuck: 'no answer within 1500 ms',
      registry: 'waiting',
    },
  });
  broken = false;
  registry.ready();
  expect((await ready()).status).toBe(200);
  registry.notReady('lost');
  expect((await ready()).json()).toMatchObject({ failing: { registry: 'lost' } });
  expect((await ask(callback, { path: '/healthz' })).status).toBe(200);
});

test('alarms are 503 until cleared, and keep the time of their first raise', async () => {
  const { callback, health } = serve();
  health.alarms.raise('gap', 'version 3 is missing');
  const since = health.alarms.active().get('gap')?.since.toISOString();
  health.alarms.raise('gap', 'version 4 is missing');
  const red = await ask(callback, { path: '/alarms' });
  expect(red.status).toBe(503);
  expect(red.json()).toEqual({
    status: 'alarm',
    alarms: { gap: { reason: 'version 4 is missing', since } },
  });
  health.alarms.clear('gap');
  expect((await ask(callback, { path: '/alarms' })).json()).toEqual({ status: 'quiet' });
});

const echo: ServiceMiddleware = async (ctx) =>
  void (ctx.body = { got: await readJsonBody(ctx, { limitBytes: 100 }) });

test('a JSON body passes unchanged', async () => {
  const value = { text: '한국어 😀', nested: [1, null] };
  expect((await askJson(serve(echo).callback, 'POST', '/things/1', value)).json()).toEqual({
    got: value,
  });
});

test('media types are compared without regard to case', async () => {
  const headers = { 'Content-Type': 'APPLICATION/JSON; Charset="UTF-8"' };
  const answer = await ask(serve(echo).callback, {
    method: 'POST',
    path: '/things/1',
    headers,
    body: '{}',
  });
  expect(answer.status).toBe(200);
});

const json = { 'Content-Type': 'application/json' };
test.each([
  ['no content type', 415, {}, '{}'],
  ['a form', 415, { 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=b'],
  ['another charset', 415, { 'Content-Type': 'application/json; charset=latin1' }, '{}'],
  ['a compressed body', 415, { ...json, 'Content-Encoding': 'gzip' }, '{}'],
  ['half a value', 400, json, '{"a":'],
  ['an empty body', 400, json, ''],
  ['a key that stands twice in an object', 400, json, '[{"a":1,"a":2}]'],
  ['bytes that are not UTF-8', 400, json, Buffer.from([0x22, 0xff, 0x22])],
  ['a declared length over the limit', 413, json, JSON.stringify('x'.repeat(99))],
  [
    'a streamed body over the limit',
    413,
    { ...json, 'Transfer-Encoding': 'chunked' },
    JSON.stringify('x'.repeat(99)),
  ],
])('%s is refused with %i', async (_, status, headers, body) => {
  const answer = await ask(serve(echo).callback, {
    method: 'POST',
    path: '/things/1',
    headers,
    body,
  });
  expect(answer.json()).toMatchObject({ status });
  expect(answer.headers['content-type']).toContain('application/problem+json');
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createScope } from '../process/run-service.ts';
import { serveExample } from '../../test/support/example-server.ts';
import type { HttpLimits } from './create-http-server.ts';
import { readJsonBody } from './read-request.ts';
import type { ServiceMiddleware } from './observe-requests.ts';

async function listen(limits: Partial<HttpLimits>, handler?: ServiceMiddleware) {
  const scope = createScope();
  const example = serveExample(handler, limits);
  const port = await example.listen(scope, '127.0.0.1', 0);
  onTestFinished(() => scope.close());
  return { port, lines: example.lines };
}

function open(port: number, bytes = ''): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(bytes);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post =
  'POST /things/1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n';

/** A handler that tells what began, and ends one request at a time. */
function stepwise() {
  const begun: string[] = [];
  let end: () => void = () => undefined;
  const handler: ServiceMiddleware = async (ctx) => {
    begun.push(ctx.path);
    await new Promise<void>((resolve) => (end = resolve));
    ctx.body = ctx.path;
  };
  return { begun, handler, end: () => end() };
}

test('pipelined requests are begun one after the other, and answered in their order', async () => {
  const { begun, handler, end } = stepwise();
  const { port } = await listen({}, handler);
  const socket = open(port, get('/things/1') + get('/things/2') + get('/things/3'));
  for (const n of [1, 2, 3]) {
    await expect.poll(() => begun).toEqual(['/things/1', '/things/2', '/things/3'].slice(0, n));
    const answer = once(socket, 'data');
    end();
    expect(String(await answer)).toMatch(new RegExp(`/things/${n}$`));
  }
});

test('a request that waits when the client hangs up is not begun', async () => {
  const { begun, handler, end } = stepwise();
  const { port, lines } = await listen({}, handler);
  const socket = open(port, get('/things/1') + get('/things/2'));
  await expect.poll(() => begun).toEqual(['/things/1']);
  socket.destroy();
  await once(socket, 'close');
  end();
  await expect.poll(() => lines.filter(({ event }) => event === 'http.request')).toHaveLength(1);
  expect(
    await text(open(port, get('/healthz').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))),
  ).toContain('200 OK');
  expect(begun).toEqual(['/things/1']);
});

test('bytes that are no request do not take the place of the answer to the request before them', async () => {
  const { begun, handler, end } = stepwise();
  const { port } = await listen({}, handler);
  const answers = text(open(port, `${get('/things/1')}${get('/things/2')}nonsense\r\n\r\n`));
  for (const n of [1, 2]) {
    await expect.poll(() => begun).toHaveLength(n);
    end();
  }
  expect((await answers).match(/HTTP\/1.1 \d+|\/things\/\d$|\/things\/\d(?=HTTP)/g)).toEqual([
    'HTTP/1.1 200',
    '/things/1',
    'HTTP/1.1 200',
    '/things/2',
  ]);
});

test('more pipelined requests than may wait are refused with 503, and the connection is closed', async () => {
  const { begun, handler, end } = stepwise();
  const { port } = await listen({ waitingRequests: 1 }, handler);
  const answers = text(
    open(port, get('/things/1') + get('/things/2') + get('/things/3') + get('/things/4')),
  );
  for (const n of [1, 2]) {
    await expect.poll(() => begun).toHaveLength(n);
    end();
  }
  const [, second, third, ...more] = (await answers).split(/(?=HTTP\/1.1)/);
  expect(second).toMatch(/^HTTP\/1.1 200 /);
  expect(third).toMatch(
    /^HTTP\/1.1 503 [^]*Connection: close\r\nRetry-After: 1\r\n[^]*"status":503/,
  );
  expect(more).toEqual([]);
  expect(begun).toHaveLength(2);
});

test.each([
  ['sends nothing', ''],
  ['sends half a head', 'GET /things/1 HTTP/1.1\r\nHost: a\r\n'],
])('a client that %s gets 408 and is closed', async (_, bytes) => {
  const { port } = await listen({ headMs: 50, requestMs: 10_000, checkEveryMs: 20 });
  expect(await text(open(port, bytes))).toMatch(
    /^HTTP\/1.1 408 Request Timeout\r\n[^]*"status":408}$/,
  );
});

test('a body that keeps arriving byte by byte gets 408 at the limit', async () => {
  const limits = { headMs: 50, requestMs: 100, checkEveryMs: 20 };
  const { port } = await listen(limits, async (ctx) => {
    ctx.body = await readJsonBody(ctx, { limitBytes: 100 });
  });
  const socket = open(port, post);
  const drip = setInterval(() => socket.write(' '), 20);
  const answer = await text(socket);
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
});

test('a connection without a next request is closed', async () => {
  const { port } = await listen({ keepAliveMs: 50 });
  expect(await text(open(port, get('/healthz')))).toMatch(/^HTTP\/1.1 200 OK\r\n/);
});

test('a client that does not read its answer is cut off', async () => {
  const closed = Promise.withResolvers<void>();
  const { port } = await listen({ silenceMs: 100 }, (ctx) => {
    ctx.res.once('close', closed.resolve);
    ctx.body = Buffer.alloc(50_000_000);
  });
  const socket = open(port, get('/things/1'));
  socket.pause();
  await closed.promise;
});

test('connections beyond the limit are closed, those below it served', async () => {
  const { port } = await listen({ connections: 2 });
  const served = [open(port), open(port)];
  await Promise.all(served.map((socket) => once(socket, 'connect')));
  expect(await text(open(port))).toBe('');
  served[0]?.write(get('/healthz'));
  expect(String((await once(served[0] ?? open(port), 'data'))[0])).toMatch(/^HTTP\/1.1 200 OK\r\n/);
});

test('a target that is a URL, even a broken one, is read for its path', async () => {
  const { port } = await listen({}, (ctx) => void (ctx.body = ctx.path));
  const answer = await text(
    open(port, 'GET http://[/things/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
  );
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\/things\/1$/);
});

test.each([
  ['no Host', 400, ''],
  ['two Hosts', 400, 'Host: a\r\nHost: b\r\n'],
  [
    'an expectation that the server does not meet',
    417,
    'Host: a\r\nExpect: wonders\r\nConnection: close\r\n',
  ],
])('%s is a problem', async (_, status, headers) => {
  const { port } = await listen({}, (ctx) => void (ctx.body = 'served'));
  const answer = await text(open(port, `GET /things/1 HTTP/1.1\r\n${headers}\r\n`));
  expect(answer).toMatch(
    new RegExp(`^HTTP/1.1 ${status} [^]*application/problem\\+json[^]*"status":${status}[,}]`),
  );
});

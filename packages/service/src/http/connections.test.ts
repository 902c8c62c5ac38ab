import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createScope } from '../process/run-service.ts';
import { serveExample } from '../../test/support/example-server.ts';
import { readJsonBody } from './read-request.ts';
import type { ServiceMiddleware } from './observe-requests.ts';

async function listen(handler?: ServiceMiddleware, shutdownDelayMs?: number) {
  const scope = createScope();
  const port = await serveExample(handler).listen(scope, '127.0.0.1', 0, shutdownDelayMs);
  onTestFinished(() => scope.close());
  return { scope, port };
}

/** Sends bytes and keeps the connection open. */
function send(port: number, ...lines: string[]): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** A handler that runs until it is told to finish. */
function slowHandler() {
  const running = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const handler: ServiceMiddleware = async (ctx) => {
    running.resolve();
    await finish.promise;
    ctx.body = 'finished';
  };
  return { handler, running: running.promise, finish: finish.resolve };
}

test('closing finishes the running request, then closes its kept-alive connection', async () => {
  const { handler, running, finish } = slowHandler();
  const { scope, port } = await listen(handler);
  const agent = new Agent({ keepAlive: true });
  const answered = once(request({ port, path: '/things/1', agent }).end(), 'response');
  await running;
  const closed = scope.close();
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
  finish();
  const [response] = await answered;
  expect(await text(response)).toBe('finished');
  await closed;
  agent.destroy();
});

test('while closing, the next request on an open connection is answered and closes the connection', async () => {
  const { handler, running, finish } = slowHandler();
  const { scope, port } = await listen(handler);
  const socket = send(port, 'GET /things/1 HTTP/1.1', 'Host: a');
  await running;
  const closed = scope.close();
  socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  finish();
  const [first, second] = (await text(socket)).split(/(?<=finished)/);
  expect(first).toContain('Connection: keep-alive');
  expect(second).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*alive"}$/);
  await closed;
});

test('during the shutdown delay /readyz is red, open and new connections are served, and each answer ends its connection', async () => {
  const { scope, port } = await listen((ctx) => void (ctx.body = 'served'), 1_000);
  const thing = ['GET /things/1 HTTP/1.1', 'Host: a'];
  const open = send(port, ...thing);
  const [before] = await once(open, 'data');
  expect(String(before)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Connection: keep-alive\r\n[^]*served$/);

  const closed = scope.close();
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not ready', failing: { process: 'closing' } },
  ]);
  open.write(`${thing.join('\r\n')}\r\n\r\n`);
  for (const socket of [open, send(port, ...thing)])
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*served$/);
  await closed;
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
});

test('bytes that are no HTTP get a problem and the connection is closed', async () => {
  const { port } = await listen();
  const answer = await text(send(port, 'nonsense'));
  expect(answer).toMatch(
    /^HTTP\/1.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/,
  );
});

const readBody: ServiceMiddleware = async (ctx) =>
  void (ctx.body = await readJsonBody(ctx, { limitBytes: 100 }));
const post = ['POST /things/1 HTTP/1.1', 'Host: a', 'Content-Type: application/json'];

const tooLong = 'x'.repeat(101);
test.each([
  ['is declared too long', [...post, 'Content-Length: 101', '', ''], tooLong],
  ['grows too long', [...post, 'Transfer-Encoding: chunked', '', '65', tooLong, ''], '0\r\n\r\n'],
])(
  'a body that %s is refused before its end, and the connection serves the next request',
  async (_, head, rest) => {
    const { port } = await listen(readBody);
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(head.join('\r\n'));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 413 Payload Too Large\r\n/);
    socket.write(rest);
    socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  },
);

test('a body that stops is refused with 408, and its connection is closed', async () => {
  const { port } = await listen(async (ctx) => {
    ctx.body = await readJsonBody(ctx, { limitBytes: 100, timeLimitMs: 30 });
  });
  const answer = await text(send(port, ...post, 'Content-Length: 9', '', '{"a"'));
  expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*Connection: close\r\n/);
});

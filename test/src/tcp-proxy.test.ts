import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy } from './tcp-proxy.ts';

/** A proxy to a server that keeps what it gets, and a client of it. */
async function open() {
  let received = '';
  const server = createServer((socket) =>
    socket.on('data', (chunk) => (received += chunk.toString())),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  const client = connect(proxy.port, proxy.host);
  client.setNoDelay().on('error', () => undefined);
  await once(client, 'connect');
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
    server.close();
  });
  return { proxy, client, received: () => received };
}

test('bytes keep their order when a delay ends while some of them wait', async () => {
  const { proxy, client, received } = await open();
  for (const [ms, text] of [
    [150, 'a'],
    [50, 'b'],
    [0, 'c'],
  ] as const) {
    proxy.set(ms === 0 ? { kind: 'none' } : { kind: 'delay', ms });
    const seen = proxy.hits();
    client.write(text);
    // Until the proxy has it: two writes in one chunk would prove nothing.
    if (ms > 0) await expect.poll(() => proxy.hits(), { interval: 1 }).toBeGreaterThan(seen);
  }
  await expect.poll(received).toBe('abc');
});

test('a fault counts the connections and the bytes that it has met', async () => {
  const { proxy, client, received } = await open();
  client.write('x');
  await expect.poll(received).toBe('x');
  proxy.set({ kind: 'half-open', drop: 'to-server' });
  expect(proxy.hits()).toBe(0);
  client.write('y');
  await expect.poll(() => proxy.hits()).toBe(1);
  proxy.set({ kind: 'cut' });
  expect(proxy.hits()).toBe(1);
  await once(client, 'close');
  const refused = connect(proxy.port, proxy.host).on('error', () => undefined);
  await once(refused, 'close');
  expect(proxy.hits()).toBe(2);
  expect(received()).toBe('x');
});

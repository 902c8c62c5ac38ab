import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitUntil } from '@board/test';
import { expect, onTestFinished, test } from 'vitest';
import { readResources } from '../support/fuzz/read-resources.ts';
import { prepareOrderService } from '../support/prepare-order-service.ts';
import { startService } from '../support/start-service.ts';

const idle = 5_000;
const slow = 100;

/** What a client has heard until it was closed. */
interface Client {
  readonly socket: Socket;
  heard: string;
  isClosed: boolean;
}

async function open(port: number, bytes: string): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  const client: Client = { socket, heard: '', isClosed: false };
  socket.on('data', (chunk) => (client.heard += chunk.toString()));
  socket.on('error', () => undefined).on('close', () => (client.isClosed = true));
  await once(socket, 'connect');
  socket.write(bytes);
  return client;
}

async function openMany(port: number, count: number, bytes = ''): Promise<Client[]> {
  const clients: Client[] = [];
  // Not more at once than a listen queue holds.
  while (clients.length < count)
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => open(port, bytes)))));
  onTestFinished(() => clients.forEach(({ socket }) => socket.destroy()));
  return clients;
}

/** One byte every half second: no limit of silence ends such a connection. */
function drip(clients: readonly Client[]): void {
  const timer = setInterval(() => {
    for (const { socket } of clients) if (socket.writable) socket.write('x');
  }, 500);
  onTestFinished(() => clearInterval(timer));
}

test(
  `boards are posted while ${idle} connections are idle, which are closed, and ${2 * slow} are slow, which get 408`,
  { timeout: 120_000 },
  async () => {
    const { env, root } = await prepareOrderService();
    const service = await startService({ ...env, BODY_DEADLINE_MS: '3000' });
    await service.until('service.ready');
    const port = Number(new URL(service.url).port);
    const before = await readResources(service.url, service.pid);

    const idlers = await openMany(port, idle);
    const heads = await openMany(port, slow, 'GET /boards HTTP/1.1\r\nHost: a\r\nA: ');
    const bodies = await openMany(
      port,
      slow,
      'POST /boards HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
    );
    drip([...heads, ...bodies]);
    const crowded = await readResources(service.url, service.pid);
    expect(crowded.openFiles).toBeGreaterThanOrEqual(idle + 2 * slow);

    for (let n = 0; n < 20; n += 1) {
      const posts = Array.from({ length: 10 }, (_, m) =>
        fetch(`${service.url}/boards`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ title: `${n}-${m}`, content: '' }),
        }),
      );
      expect((await Promise.all(posts)).map(({ status }) => status)).toEqual(
        Array.from({ length: 10 }, () => 201),
      );
    }
    const [[{ boards }]] = (await root.query(
      'SELECT COUNT(*) AS boards FROM board',
    )) as unknown as [[{ boards: number }]];
    expect(boards).toBe(200);

    await waitUntil(
      'the server closes them',
      () => [...idlers, ...heads, ...bodies].every(({ isClosed }) => isClosed),
      {
        timeoutMs: 60_000,
      },
    );
    for (const { heard } of [...idlers, ...heads, ...bodies])
      expect(heard).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    const after = await waitUntil('its files are closed', async () => {
      const now = await readResources(service.url, service.pid);
      return now.openFiles <= before.openFiles + 20 && now;
    });
    process.stderr.write(`idle connections: ${JSON.stringify({ before, crowded, after })}\n`);
    expect(crowded.residentMiB - before.residentMiB).toBeLessThan(200);
  },
);

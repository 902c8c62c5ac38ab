import { startTcpProxy, type Fault, type TcpProxy } from '@board/test';
import avro from 'avsc';
import { expect, onTestFinished, test } from 'vitest';
import { prepareOrderService, type Prepared } from './support/prepare-order-service.ts';
import { startService, startServiceKilledAt } from './support/start-service.ts';

const title = '제목 😀 é';
const content = '한국어 내용\n"\\\' 👩‍👩‍👧‍👦 \u0001';
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function post(
  url: string,
  body: unknown = { title, content, author: '김철수' },
): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', traceparent };
  return fetch(`${url}/boards`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function countRows(root: Prepared['root']): Promise<unknown> {
  const [rows] = await root.query(
    'SELECT (SELECT COUNT(*) FROM board) AS boards, (SELECT COUNT(*) FROM outbox) AS events',
  );
  return (rows as unknown[])[0];
}

async function select(root: Prepared['root'], sql: string): Promise<Record<string, unknown>> {
  const [rows] = await root.query(sql);
  const [row] = rows as Record<string, unknown>[];
  if (!row) throw new Error(`no row: ${sql}`);
  return row;
}

/**
 * `information_schema.processlist` fails while any statement of the server holds an emoji: it is
 * utf8mb3.
 */
async function countWaiting({ root, name }: Prepared): Promise<number> {
  const [rows] = await root.query('SHOW PROCESSLIST');
  const processes = rows as { db: string | null; State: string | null }[];
  return processes.filter(({ db, State }) => db === name && State?.startsWith('Waiting for'))
    .length;
}

async function startProxy(host: string, port: number): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ host, port });
  onTestFinished(proxy.close);
  return proxy;
}

test('a posted board is stored with its event, each byte unchanged, and read back', async () => {
  const { env, root } = await prepareOrderService();
  const service = await startService(env);
  await service.until('service.ready');

  const answer = await post(service.url);
  const board = (await answer.json()) as { id: string; createdAt: string };
  expect(answer.status).toBe(201);
  expect(board).toMatchObject({ version: 1, title, content, author: '김철수' });
  expect(board.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  expect(await (await fetch(service.url + answer.headers.get('location'))).json()).toEqual(board);

  const row = await select(
    root,
    'SELECT HEX(title) AS title, HEX(content) AS content, created_at FROM board',
  );
  const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();
  expect(row).toEqual({
    title: hex(title),
    content: hex(content),
    created_at: new Date(board.createdAt),
  });

  const event = await select(root, 'SELECT * FROM outbox');
  const { id, version } = { id: board.id, version: 1 };
  expect(event).toMatchObject({
    aggregatetype: 'board',
    aggregateid: id,
    version,
    type: 'BoardCreated',
    traceparent,
  });
  expect(event).toMatchObject({ partition_key: '김철수', occurred_at: new Date(board.createdAt) });
  const payload = event['payload'] as Buffer;
  const registered = await fetch(`${env['REGISTRY_URL']}/schemas/ids/${payload.readInt32BE(1)}`);
  const { schema } = (await registered.json()) as { schema: string };
  const time = Date.parse(board.createdAt);
  const decoded: unknown = avro.Type.forSchema(JSON.parse(schema)).fromBuffer(payload.subarray(5));
  expect({ ...(decoded as object) }).toEqual({
    ...board,
    version,
    createdAt: time,
    updatedAt: time,
  });
});

test('a board without an author has its own id as the partition key of its events', async () => {
  const { env, root } = await prepareOrderService();
  const service = await startService(env);
  await service.until('service.ready');
  await post(service.url, { title, content });
  const row = await select(
    root,
    'SELECT aggregateid = partition_key AS same, author FROM outbox, board',
  );
  expect(row).toEqual({ same: 1, author: null });
});

test.each([
  ['between-inserts', { boards: 0, events: 0 }],
  ['before-commit', { boards: 0, events: 0 }],
  ['after-commit', { boards: 1, events: 1 }],
])('kill -9 %s leaves both rows or neither, and a new process serves', async (place, rows) => {
  const { env, root } = await prepareOrderService();
  const dying = await startServiceKilledAt(place, env);
  await dying.until('service.ready');
  await expect(post(dying.url)).rejects.toThrow('fetch failed');
  expect(await dying.ended).toBe('SIGKILL');
  await expect.poll(() => countRows(root)).toEqual(rows);

  // What armed failpoints in earlier versions: no variable does.
  const next = await startService({ ...env, FAILPOINTS: `${place}:kill`, FAILPOINT: place });
  await next.until('service.ready');
  expect((await post(next.url)).status).toBe(201);
});

test('a running service answers 503 within 2 s while the database is away, is not ready, and recovers by itself', async () => {
  const { env, root, connection } = await prepareOrderService();
  const proxy = await startProxy(connection.host, connection.port);
  const service = await startService({ ...env, DATABASE_PORT: String(proxy.port) });
  await service.until('service.ready');
  const faults: Fault[] = [{ kind: 'cut' }, { kind: 'half-open', drop: 'both' }];
  for (const fault of faults) {
    proxy.set(fault);
    for (const ask of [
      () => post(service.url),
      () => fetch(`${service.url}/boards/${crypto.randomUUID()}`),
    ]) {
      const begin = performance.now();
      const answer = await ask();
      expect(performance.now() - begin).toBeLessThan(2_000);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    proxy.set({ kind: 'none' });
    await expect.poll(async () => (await fetch(`${service.url}/readyz`)).status).toBe(200);
    expect((await post(service.url)).status).toBe(201);
  }
  expect(await countRows(root)).toEqual({ boards: 2, events: 2 });
});

test('a service that starts without a database listens, names what it waits for, and comes up by itself', async () => {
  const { env, connection } = await prepareOrderService();
  const proxy = await startProxy(connection.host, connection.port);
  proxy.set({ kind: 'cut' });
  const service = await startService({ ...env, DATABASE_PORT: String(proxy.port) });
  expect(await service.until('dependency.waiting')).toMatchObject({
    dependency: 'database server',
  });
  expect((await post(service.url)).status).toBe(503);
  proxy.set({ kind: 'none' });
  await service.until('service.ready');
  expect((await post(service.url)).status).toBe(201);
});

const withoutRegistry: [string, Fault, string][] = [
  ['gone', { kind: 'cut' }, 'fetch failed'],
  ['silent', { kind: 'half-open', drop: 'both' }, 'timeout'],
];
test.each(withoutRegistry)(
  'a service that starts with the registry %s names the reason, refuses boards with 503, and comes up by itself',
  async (_, fault, reason) => {
    const { env, root } = await prepareOrderService();
    const registry = new URL(env['REGISTRY_URL'] ?? '');
    const proxy = await startProxy(registry.hostname, Number(registry.port));
    proxy.set(fault);
    const url = `http://127.0.0.1:${proxy.port}${registry.pathname}`;
    const service = await startService({ ...env, REGISTRY_URL: url });
    expect(await service.until('dependency.waiting')).toMatchObject({
      dependency: 'schema registry',
    });
    const readiness = await fetch(`${service.url}/readyz`);
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({
      failing: { 'schema registry': expect.stringContaining(reason) },
    });
    const refused = await post(service.url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await countRows(root)).toEqual({ boards: 0, events: 0 });

    proxy.set({ kind: 'none' });
    await service.until('service.ready');
    await expect.poll(async () => (await fetch(`${service.url}/readyz`)).status).toBe(200);
    proxy.set({ kind: 'cut' });
    // After the start nothing waits for the registry.
    expect((await post(service.url)).status).toBe(201);
  },
);

test('a running and a new process write without an alarm while the registry is away', async () => {
  const { env, root } = await prepareOrderService();
  const registry = new URL(env['REGISTRY_URL'] ?? '');
  const proxy = await startProxy(registry.hostname, Number(registry.port));
  const url = `http://127.0.0.1:${proxy.port}${registry.pathname}`;
  const service = await startService({ ...env, REGISTRY_URL: url, SCHEMA_CHECK_MS: '50' });
  await service.until('service.ready');
  proxy.set({ kind: 'cut' });
  await service.until('schemas.not-checked');
  expect((await post(service.url)).status).toBe(201);
  expect((await fetch(`${service.url}/alarms`)).status).toBe(200);

  const next = await startService({ ...env, REGISTRY_URL: url, SCHEMA_CHECK_MS: '50' });
  await next.until('service.ready');
  expect(await next.until('schemas.from-memory')).toMatchObject({ ids: expect.any(Array) });
  expect((await post(next.url)).status).toBe(201);
  const ids = await select(
    root,
    'SELECT COUNT(DISTINCT LEFT(payload, 5)) AS ids, COUNT(*) AS events FROM outbox',
  );
  expect(ids).toEqual({ ids: 1, events: 2 });
  proxy.set({ kind: 'none' });
  await expect.poll(async () => (await fetch(`${next.url}/alarms`)).status).toBe(200);
});

test('SIGTERM lets the process answer accepted requests and exit with 0', async () => {
  const prepared = await prepareOrderService();
  const { env, root } = prepared;
  const service = await startService(env);
  await service.until('service.ready');
  await root.query('LOCK TABLES outbox WRITE, board READ');
  const accepted = post(service.url);
  await expect.poll(() => countWaiting(prepared)).toBe(1);
  service.stop();
  await service.until('process.closing');
  await root.query('UNLOCK TABLES');
  expect((await accepted).status).toBe(201);
  expect(await service.ended).toBe(0);
  expect(await countRows(root)).toEqual({ boards: 1, events: 1 });
});

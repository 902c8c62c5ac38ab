import { expect, test } from 'vitest';
import { prepareOrderService } from './support/prepare-order-service.ts';
import { startService } from './support/start-service.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a board is posted, repeated, edited, listed and deleted, with an event for each change', async () => {
  const { env, root } = await prepareOrderService();
  const service = await startService(env);
  await service.until('service.ready');
  const ask = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) =>
    fetch(`${service.url}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', traceparent, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  const post = () =>
    ask('POST', '/boards', { title: 'first', content: '' }, { 'Idempotency-Key': '"k1"' });
  const created = await post();
  const text = await created.text();
  const repeated = await post();
  expect([created.status, created.headers.get('idempotency-replayed')]).toEqual([201, null]);
  expect([repeated.status, repeated.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
  expect(await repeated.text()).toBe(text);
  for (const header of ['location', 'etag', 'content-type']) {
    expect(repeated.headers.get(header)).toBe(created.headers.get(header));
  }
  const path = String(created.headers.get('location'));

  const edited = await ask(
    'PATCH',
    path,
    { title: 'second' },
    { 'If-Match': '"1"', 'Idempotency-Key': 'k2' },
  );
  expect([edited.status, edited.headers.get('etag')]).toEqual([200, '"2"']);
  const stale = await ask('PATCH', path, { title: 'third' }, { 'If-Match': '"1"' });
  expect([stale.status, stale.headers.get('etag')]).toEqual([412, '"2"']);
  expect((await ask('PATCH', path, { title: 'other' }, { 'Idempotency-Key': 'k2' })).status).toBe(
    422,
  );
  expect((await ask('GET', path, undefined, { 'If-None-Match': '"2"' })).status).toBe(304);
  expect(await (await ask('GET', '/boards')).json()).toMatchObject({
    boards: [{ title: 'second' }],
    next: null,
  });

  const remove = () => ask('DELETE', path, undefined, { 'Idempotency-Key': 'k3' });
  expect((await remove()).status).toBe(204);
  const again = await remove();
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([204, 'true']);
  expect((await ask('DELETE', path)).status).toBe(410);
  expect((await ask('GET', path)).status).toBe(410);
  expect(await (await ask('GET', '/boards')).json()).toEqual({ boards: [], next: null });

  const [events] = await root.query('SELECT version, type, traceparent FROM outbox ORDER BY seq');
  expect(events).toEqual([
    { version: 1, type: 'BoardCreated', traceparent },
    { version: 2, type: 'BoardEdited', traceparent },
    { version: 3, type: 'BoardDeleted', traceparent },
  ]);
  const committed = service.lines.filter(({ event }) => event === 'event.committed');
  expect(committed).toMatchObject(
    [1, 2, 3].map((version) => ({ version, traceparent, eventId: expect.any(String) })),
  );
});

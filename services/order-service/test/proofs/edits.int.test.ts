import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { prepareOrderService } from '../support/prepare-order-service.ts';
import { readVersions } from '../support/read-versions.ts';
import { startService } from '../support/start-service.ts';

interface Board {
  readonly id: string;
  readonly version: number;
  readonly content: string;
}

async function send(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
) {
  const response = await fetch(url, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, board: (await response.json()) as Board };
}

test('200 clients edit 20 boards on two instances without a gap, a second event or a lost update', async () => {
  const { env, root } = await prepareOrderService();
  const services = [
    await startService(env),
    await startService({ ...env, INSTANCE: 'order-service-2' }),
  ];
  for (const service of services) await service.until('service.ready');
  const url = (n: number): string => services[n % services.length]?.url ?? '';
  const created = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      send(`${url(n)}/boards`, 'POST', { title: 'count', content: '' }),
    ),
  );

  // Each client adds its character to what it has read, and reads again when another client was
  // faster.
  async function addCharacter(client: number): Promise<void> {
    const path = `/boards/${created[client % 20]?.board.id}`;
    for (let status = 412; status !== 200;) {
      const { version, content } = (await (await fetch(url(client) + path)).json()) as Board;
      const headers = { 'If-Match': `"${version}"`, 'Idempotency-Key': randomUUID() };
      // 503 does not say that nothing was done: with its key the same request is safe to send
      // again.
      do
        ({ status } = await send(
          url(client + 1) + path,
          'PATCH',
          { content: `${content}x` },
          headers,
        ));
      while (status === 503 || status === 409);
      expect([200, 412]).toContain(status);
    }
  }
  await Promise.all(Array.from({ length: 200 }, (_, client) => addCharacter(client)));

  const [boards] = await root.query('SELECT version, content FROM board');
  expect(boards).toEqual(
    Array.from({ length: 20 }, () => ({ version: 11, content: 'x'.repeat(10) })),
  );
  for (const { row, events } of Object.values(await readVersions(root)))
    expect(events).toEqual(Array.from({ length: row }, (_, n) => n + 1));
});

test('the last write wins without If-Match, even if another write came in between', async () => {
  const { env, root } = await prepareOrderService();
  const services = [
    await startService(env),
    await startService({ ...env, INSTANCE: 'order-service-2' }),
  ];
  for (const service of services) await service.until('service.ready');
  const [first, second] = services;
  const { board } = await send(`${first?.url}/boards`, 'POST', { title: 'a', content: '' });
  const edits = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      send(`${(n % 2 === 0 ? first : second)?.url}/boards/${board.id}`, 'PATCH', {
        title: `edit ${n}`,
      }),
    ),
  );
  expect(edits.every(({ status }) => status === 200)).toBe(true);
  const versions = edits.map((edit) => edit.board.version).toSorted((a, b) => a - b);
  expect(versions).toEqual(Array.from({ length: 60 }, (_, n) => n + 2));
  expect(await readVersions(root)).toEqual({
    [board.id]: { row: 61, events: Array.from({ length: 61 }, (_, n) => n + 1) },
  });
});

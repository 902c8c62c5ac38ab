import { startTcpProxy } from '@board/test';
import { expect, onTestFinished, test } from 'vitest';
import { prepareOrderService } from '../support/prepare-order-service.ts';
import { startService } from '../support/start-service.ts';

// Few, so that the test measures pools and not processors.
const readers = 40;
const posts = 10;

test(`${posts} of ${posts} posts are taken while ${readers} lists wait for a database that does not answer`, async () => {
  const { env, connection } = await prepareOrderService();
  const proxy = await startTcpProxy(connection);
  onTestFinished(proxy.close);
  const service = await startService({ ...env, DATABASE_PORT: String(proxy.port) });
  await service.until('service.ready');
  proxy.set({ kind: 'swallow', text: 'OCTET_LENGTH' });
  const over = new AbortController();
  const answers = new Set<number>();
  const reading = Array.from({ length: readers }, async () => {
    while (!over.signal.aborted) {
      const answer = await fetch(`${service.url}/boards`);
      await answer.arrayBuffer();
      answers.add(answer.status);
    }
  });
  const post = async (_: unknown, n: number): Promise<number> => {
    const answer = await fetch(`${service.url}/boards`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ title: `${n}`, content: '' }),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  // Once the first lists have given up, every connection that lists may use is taken, and others
  // wait for it.
  await expect.poll(() => answers.size, { timeout: 20_000 }).toBeGreaterThan(0);
  const taken: number[] = [];
  for (let round = 0; round < posts / 5; round += 1)
    taken.push(...(await Promise.all(Array.from({ length: 5 }, post))));
  const ready = await fetch(`${service.url}/readyz`);
  over.abort();
  await Promise.all(reading);
  expect(taken).toEqual(Array.from({ length: posts }, () => 201));
  expect(ready.status).toBe(200);
  expect([...answers]).toEqual([503]);
  proxy.set({ kind: 'none' });
  await expect.poll(async () => (await fetch(`${service.url}/boards`)).status).toBe(200);
});

import { waitUntil } from '@board/test';
import { expect, onTestFinished, test } from 'vitest';
import { readResources } from '../support/fuzz/read-resources.ts';
import { prepareOrderService } from '../support/prepare-order-service.ts';
import { readVersions } from '../support/read-versions.ts';
import { startService } from '../support/start-service.ts';

const clients = 600;
const postsEach = 4;
const content = 'x'.repeat(65_536);

test(
  `${clients} clients that overload the database get 503 with Retry-After or a true answer, and memory stays bounded`,
  { timeout: 180_000 },
  async () => {
    const { env, root } = await prepareOrderService();
    const service = await startService(env);
    await service.until('service.ready');
    const look = () => readResources(service.url, service.pid);
    const before = await look();

    const told = {
      created: new Set<string>(),
      notDone: new Set<string>(),
      unknown: new Set<string>(),
    };
    let queueWasFull = 0;
    async function post(title: string): Promise<void> {
      const answer = await fetch(`${service.url}/boards`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ title, content }),
      });
      const { detail = '' } = (await answer.json()) as { detail?: string };
      if (answer.status === 201) {
        told.created.add(title);
        return;
      }
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      if (detail.includes('are waiting already')) queueWasFull += 1;
      told[detail.includes('not done') ? 'notDone' : 'unknown'].add(title);
    }
    let peakMiB = 0;
    const watch = setInterval(() => {
      void look().then(
        ({ residentMiB }) => (peakMiB = Math.max(peakMiB, residentMiB)),
        () => undefined,
      );
    }, 250);
    onTestFinished(() => clearInterval(watch));
    // Nothing can be written until the queue is full.
    await root.query('LOCK TABLES board WRITE');
    const posting = Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let n = 0; n < postsEach; n += 1) await post(`${client}-${n}`);
      }),
    );
    await waitUntil('the queue is full', () => queueWasFull > 0);
    await root.query('UNLOCK TABLES');
    await posting;
    clearInterval(watch);

    // Some were begun when their client was told that the outcome is unknown.
    await waitUntil('nothing waits or runs', async () => {
      const metrics = await (await fetch(`${service.url}/metrics`)).text();
      return ['outbox_queue_commands', 'outbox_transactions_running'].every((name) =>
        new RegExp(`^${name}\\{[^}]*aggregate="board"[^}]*\\} 0$`, 'm').test(metrics),
      );
    });
    const [rows] = await root.query('SELECT title FROM board');
    const stored = new Set((rows as { title: string }[]).map(({ title }) => title));
    process.stderr.write(
      `overload: ${told.created.size} created, ${told.notDone.size} not done (${queueWasFull} found the queue full), ` +
        `${told.unknown.size} unknown, ${before.residentMiB} MiB before, ${peakMiB} at the peak\n`,
    );
    expect(told.created.size).toBeGreaterThan(0);
    expect(queueWasFull).toBeGreaterThan(0);
    expect([...told.created].filter((title) => !stored.has(title))).toEqual([]);
    expect([...told.notDone].filter((title) => stored.has(title))).toEqual([]);
    for (const { row, events } of Object.values(await readVersions(root)))
      expect([row, events]).toEqual([1, [1]]);
    expect(peakMiB).toBeLessThan(before.residentMiB + 600);

    // The refusals end with the load.
    await post('afterwards');
    expect(told.created.has('afterwards')).toBe(true);
  },
);

import { expect, test } from 'vitest';
import { prepareOrderService } from '../support/prepare-order-service.ts';
import { startService } from '../support/start-service.ts';

test('SIGTERM under load lets the process answer every accepted request truly and exit with 0', async () => {
  const { env, root } = await prepareOrderService();
  const service = await startService(env);
  await service.until('service.ready');
  const created: string[] = [];
  let isCut = 0;
  let isStopping = false;

  async function postOnAndOn(): Promise<void> {
    for (;;) {
      try {
        const answer = await fetch(`${service.url}/boards`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{"title":"a","content":""}',
        });
        if (answer.status === 201) created.push(((await answer.json()) as { id: string }).id);
        else expect(answer.status).toBe(503);
      } catch {
        isCut += 1;
        return;
      }
      if (created.length >= 200 && !isStopping) {
        isStopping = true;
        service.stop();
      }
    }
  }
  await Promise.all(Array.from({ length: 30 }, postOnAndOn));
  expect(await service.ended).toBe(0);
  // Clients end when the port is closed; a connection that is cut under a running request would
  // lose its answer.
  expect(isCut).toBe(30);
  const [rows] = await root.query('SELECT id FROM board');
  const stored = (rows as { id: string }[]).map(({ id }) => id);
  expect(stored.toSorted()).toEqual(created.toSorted());
});

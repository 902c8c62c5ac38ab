import { join } from 'node:path';
import { startTcpProxy, waitUntil } from '@board/test';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openRelayLab } from '../../services/keeper/test/support/open-relay-lab.ts';
import { startKeeper } from '../../services/keeper/test/support/start-keeper.ts';
import { prepareOrderService } from '../../services/order-service/test/support/prepare-order-service.ts';
import { startService } from '../../services/order-service/test/support/start-service.ts';

const stack = inject('stack');
const catalogService = join(import.meta.dirname, '../../services/catalog-service/src/main.ts');
/** Nothing listens there. */
const deadPort = '1';

interface Watched {
  readonly url: string;
}

/** Why the alarm is raised; undefined while it is not. */
async function readAlarm({ url }: Watched, key: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/alarms`);
  const { alarms = {} } = (await answer.json()) as { alarms?: Record<string, { reason: string }> };
  return alarms[key]?.reason;
}

/** How long it takes, from now on, until the alarm is raised: a cause or none. */
async function untilRed(service: Watched, key: string): Promise<number> {
  const begin = performance.now();
  await waitUntil(`the alarm ${key}`, () => readAlarm(service, key), { timeoutMs: 60_000 });
  return performance.now() - begin;
}

test('MySQL that is silent, away or refuses the login turns /alarms of every service red within 30 s, not that of a standby keeper', async () => {
  const lab = await openRelayLab(stack);
  onTestFinished(() => lab.close());
  const proxy = await startTcpProxy(stack.mysql);
  onTestFinished(proxy.close);
  const { env } = await prepareOrderService();
  const keeperEnv = {
    DATABASE_HOST: stack.mysql.host,
    DATABASE_PORT: String(proxy.port),
    DATABASE_NAME: lab.outbox.database,
    DATABASE_USER: 'root',
    DATABASE_PASSWORD: stack.mysql.rootPassword,
    KAFKA_BROKERS: stack.brokers.join(','),
    CONNECT_URL: stack.connectUrl,
    CONNECTOR: lab.outbox.definition.name,
    MEMORY_TOPIC: lab.memoryTopic,
  };
  const orders = await startService({ ...env, DATABASE_PORT: String(proxy.port) });
  const leader = await startKeeper(keeperEnv);
  await leader.until('keeper.leading');
  const standby = await startKeeper({ ...keeperEnv, DATABASE_PORT: String(stack.mysql.port) });
  await standby.until('keeper.waiting');
  await orders.until('service.ready');
  // The keepers have other alarms: there is no connector.
  expect((await fetch(`${orders.url}/alarms`)).status).toBe(200);

  proxy.set({ kind: 'half-open', drop: 'both' });
  const redAfterMs = [untilRed(orders, 'database server'), untilRed(leader, 'leader lock')];
  const stranger = await startKeeper({
    ...keeperEnv,
    DATABASE_PORT: String(stack.mysql.port),
    DATABASE_PASSWORD: 'x',
  });
  const catalog = await startService(
    { ...env, DATABASE_PORT: deadPort, KAFKA_BROKERS: stack.brokers.join(',') },
    catalogService,
  );
  redAfterMs.push(untilRed(stranger, 'leader lock'), untilRed(catalog, 'database server'));
  expect(Math.max(...(await Promise.all(redAfterMs)))).toBeLessThan(30_000);
  const red: readonly [Watched, string, string, RegExp][] = [
    [
      orders,
      'database server',
      String(proxy.port),
      /cannot be used since .*: The database did not answer within/,
    ],
    [leader, 'leader lock', String(proxy.port), /for the leader lock since .*: connect ETIMEDOUT/],
    [
      stranger,
      'leader lock',
      String(stack.mysql.port),
      /for the leader lock since .*: Access denied for user/,
    ],
    [catalog, 'database server', deadPort, /cannot be used since .*: connect ECONNREFUSED/],
  ];
  for (const [service, key, port, text] of red) {
    const reason = await waitUntil(
      `an alarm that says ${String(text)}`,
      async () => {
        const says = await readAlarm(service, key);
        // It may be red before its first question has failed: without a cause then.
        if (says === undefined || !text.test(says))
          throw new Error(`the alarm says ${String(says)}`);
        return says;
      },
      { timeoutMs: 90_000 },
    );
    expect(reason).toContain(`MySQL at 127.0.0.1:${port} `);
    expect(reason).toContain('docs/runbook.md "A server does not answer"');
  }
  // It has learned all the while that another one holds the lock, or holds it itself by now.
  expect(await readAlarm(standby, 'leader lock')).toBeUndefined();

  proxy.set({ kind: 'none' });
  await waitUntil(
    'order-service is quiet',
    async () => (await fetch(`${orders.url}/alarms`)).status === 200,
  );
  await waitUntil(
    'the keeper is quiet',
    async () => (await readAlarm(leader, 'leader lock')) === undefined,
  );
}, 240_000);

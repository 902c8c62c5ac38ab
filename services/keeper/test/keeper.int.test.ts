import { randomUUID } from 'node:crypto';
import { connectApi, findOpenIncident, rebuildPosition, registerConnector } from '@board/relay';
import { createIdempotencyTable } from '@board/outbox';
import { waitUntil } from '@board/test';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { startKeeper } from './support/start-keeper.ts';
import { openRelayLab, type RelayLab } from './support/open-relay-lab.ts';

const stack = inject('stack');

let lab: RelayLab;
beforeEach(async () => {
  lab = await openRelayLab(stack);
  await lab.outbox.query(createIdempotencyTable);
  await registerConnector({ ...stack, definition: lab.outbox.definition });
});
afterEach(() => lab.close());

async function insertOldRow(): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await lab.outbox.insert({
    ...row,
    payload: Buffer.from(id),
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  return id;
}

const start = () =>
  startKeeper({
    DATABASE_HOST: stack.mysql.host,
    DATABASE_PORT: String(stack.mysql.port),
    DATABASE_NAME: lab.outbox.database,
    DATABASE_USER: 'root',
    DATABASE_PASSWORD: stack.mysql.rootPassword,
    KAFKA_BROKERS: stack.brokers.join(','),
    CONNECT_URL: stack.connectUrl,
    CONNECTOR: lab.outbox.definition.name,
    MEMORY_TOPIC: lab.memoryTopic,
    OBSERVE_EVERY_MS: '500',
    PURGE_EVERY_MS: '500',
    TRIM_EVERY_MS: '500',
    COLUMNS_EVERY_MS: '500',
  });

it('one of two keepers does all jobs, and the other takes over after a kill -9', async () => {
  const first = await start();
  await first.until('keeper.leading');
  const second = await start();
  await second.until('keeper.waiting');
  const metric = async (url: string, name: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  expect(await metric(first.url, 'keeper_leading')).toBe(1);
  expect(await metric(second.url, 'keeper_leading')).toBe(0);
  for (const path of ['healthz', 'readyz', 'alarms'])
    for (const { url } of [first, second]) expect((await fetch(`${url}/${path}`)).status).toBe(200);

  await insertOldRow();
  await waitUntil(
    'the row is purged',
    async () => ((await lab.memory.read())?.purged?.rows ?? 0) > 0,
  );
  await waitUntil(
    'it has observed the relay',
    async () => ((await lab.memory.read())?.seen?.relayed ?? '') !== '',
  );
  expect(await metric(first.url, 'keeper_connector_running')).toBe(1);
  expect(await metric(first.url, 'keeper_outbox_purged_rows_total')).toBe(1);
  expect(second.lines.map(({ event }) => event)).not.toContain('outbox.purged');

  first.kill();
  await second.until('keeper.leading');
  await insertOldRow();
  await waitUntil(
    'the second purges',
    async () => (await metric(second.url, 'keeper_outbox_purged_rows_total')) === 1,
  );

  // As a loaded dump leaves rows: in the table, and never in the binlog.
  await lab.outbox.query('SET SESSION sql_log_bin = 0');
  const unlogged = await insertOldRow();
  await lab.outbox.query('SET SESSION sql_log_bin = 1');
  const alarms = async (): Promise<string> => (await fetch(`${second.url}/alarms`)).text();
  await waitUntil('an alarm that names it', async () => (await alarms()).includes(unlogged));
  expect(await metric(second.url, 'keeper_outbox_unshipped_rows')).toBe(1);
  await rebuildPosition(connectApi(stack.connectUrl), lab.outbox.definition.name);
  await lab.outbox.readShipped((records) =>
    records.some(({ headers }) => headers['id'] === unlogged),
  );
  const incident = await waitUntil('an incident for the new position', async () =>
    findOpenIncident((await lab.memory.read()) ?? {}),
  );
  const clean = {
    suspicion: incident.id,
    at: new Date().toISOString(),
    by: 'audit',
    reason: 'clean',
  } as const;
  await lab.memory.remember({ closure: clean });
  await waitUntil(
    'purged',
    async () => (await metric(second.url, 'keeper_outbox_purged_rows_total')) === 2,
  );
  await waitUntil('quiet', async () => !(await alarms()).includes(unlogged));

  second.stop();
  expect(await second.ended).toBe(0);
}, 150_000);

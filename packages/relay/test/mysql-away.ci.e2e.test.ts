import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openConnection } from '@board/mysql';
import { openAdmin } from '@board/kafka';
import { createOutboxTable } from '@board/outbox';
import { readTopic, uniqueName, waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startOwnMysql } from '../../../stack/test/support/start-own-mysql.ts';
import {
  connectApi,
  connectorTopics,
  defineConnector,
  eventTopic,
  classifyStatus,
  registerConnector,
} from '../src/index.ts';

const stack = inject('stack');
const connect = connectApi(stack.connectUrl);

it('a connector goes on after an outage of MySQL, but stays FAILED when it starts during one', async () => {
  const mysql = await startOwnMysql();
  onTestFinished(mysql.stop);
  const address = {
    host: mysql.host,
    port: mysql.port,
    user: 'root',
    password: mysql.rootPassword,
  };
  // Each on a connection of its own: those of before are gone with the server.
  const query = async (sql: string, values: unknown[] = []): Promise<void> => {
    const connection = await openConnection(address);
    try {
      await connection.query(sql, values);
    } finally {
      await connection.end();
    }
  };
  const name = uniqueName();
  await query('CREATE DATABASE orders');
  await query(createOutboxTable(['board']).replace('EXISTS outbox', 'EXISTS orders.outbox'));
  const definition = defineConnector({
    name,
    database: 'orders',
    serverId: 200_000,
    topic: `${name}.board`,
    config: {
      'database.hostname': mysql.host,
      'database.port': String(mysql.port),
      'database.user': 'root',
      'database.password': mysql.rootPassword,
    },
  });
  onTestFinished(async () => {
    await connect.remove(name);
    const admin = await openAdmin(stack);
    await admin.deleteTopics({ topics: Object.values(connectorTopics(definition)).flat() });
    await admin.disconnect();
  });
  await registerConnector({ ...stack, definition });
  const insert = async (): Promise<string> => {
    const id = randomUUID();
    await query(
      `INSERT INTO orders.outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, occurred_at)
       VALUES (?, 'board', ?, 1, ?, 'BoardCreated', 'x', NOW(6))`,
      [id, id, id],
    );
    return id;
  };
  const isShipped = async (id: string) =>
    (await readTopic(stack.brokers, eventTopic(definition, 'board'))).some(
      ({ headers }) => headers['id'] === id,
    );
  const health = async () => classifyStatus(await connect.getStatus(definition.name));
  const first = await insert();
  await waitUntil('shipped', () => isShipped(first));

  await mysql.kill();
  const states = new Set<string>();
  const killedAt = performance.now();
  while (performance.now() - killedAt < 60_000) {
    states.add((await health()).kind);
    await delay(250);
  }
  await mysql.start();
  const meanwhile = await insert();
  // The binlog client tries again once a minute.
  await waitUntil('shipped by itself', () => isShipped(meanwhile), {
    timeoutMs: 120_000,
    everyMs: 1_000,
  });
  states.add((await health()).kind);
  expect([...states]).toEqual(['running']);

  await mysql.kill();
  await connect.restart(name);
  await waitUntil('failed', async () => (await health()).kind === 'failed', { timeoutMs: 120_000 });
  await mysql.start();
  const later = await insert();
  // Longer than every retry that can be configured.
  await delay(15_000);
  expect([(await health()).kind, await isShipped(later)]).toEqual(['failed', false]);
  await connect.restartFailed(name);
  await waitUntil('shipped after a restart', () => isShipped(later), {
    timeoutMs: 60_000,
    everyMs: 1_000,
  });
}, 400_000);

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { registerConnector, relayMemory, suspect, type RelayMemory } from '@board/connectors';
import { connectKafka, openCompactedTopic } from '@board/kafka-kit';
import { createIdempotencyTable } from '@board/outbox';
import { compileCache, waitUntil } from '@board/test';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { openMemoryTopic } from '../../connectors/testing/open-memory-topic.ts';
import { openTemporaryOutbox, type TemporaryOutbox } from '../../connectors/testing/open-temporary-outbox.ts';

const stack = inject('stack');
const { connectUrl, brokers, mysql } = stack;
const file = resolve(import.meta.dirname, '../outbox.ts');

let outbox: TemporaryOutbox;
let topic: Awaited<ReturnType<typeof openMemoryTopic>>;
let root: Connection;
beforeAll(async () => {
  outbox = await openTemporaryOutbox(stack);
  await outbox.query(createIdempotencyTable);
  topic = await openMemoryTopic(stack);
  root = await createConnection({ ...mysqlAddress(), user: 'root', password: mysql.rootPassword });
  // The pipeline's own user, with the rights that it has there.
  for (const table of ['outbox', 'idempotency_key']) await root.query(`GRANT SELECT, DELETE ON ${table} TO ${purger}`);
  await registerConnector({ connectUrl, brokers, definition: outbox.definition });
}, 120_000);
afterAll(async () => {
  for (const table of ['outbox', 'idempotency_key'])
    await root.query(`REVOKE SELECT, DELETE ON ${table} FROM ${purger}`);
  await root.end();
  await topic.close();
  await outbox.close();
}, 120_000);
beforeEach(async () => {
  await root.query('DELETE FROM outbox');
  await keeperLooked(0);
});

const purger = "'purge'@'127.0.0.1'";
const mysqlAddress = () => ({ host: mysql.host, port: mysql.port, database: outbox.database });

const environment = () => ({
  ...compileCache,
  DATABASE_HOST: mysql.host,
  DATABASE_PORT: String(mysql.port),
  DATABASE_NAME: outbox.database,
  DATABASE_USER: 'purge',
  DATABASE_PASSWORD: stack.passwords.purge,
  KAFKA_BROKERS: brokers.join(','),
  CONNECT_URL: connectUrl,
});
const whose = () => ['--connector', outbox.definition.name, '--memory-topic', topic.name];

function run(...args: string[]): Promise<{ exitCode: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [file, ...args, ...whose()], { env: environment() }, (_error, out, err) =>
      resolve({ exitCode: child.exitCode, out, err }),
    );
  });
}

async function remember(memory: RelayMemory): Promise<void> {
  const store = relayMemory(openCompactedTopic(connectKafka(stack, 'test'), topic.name), outbox.definition.name);
  await store.remember(memory);
  await store.close();
}

/** Nothing moves by itself here: the tests do what the keeper would. */
async function keeperLooked(agoMs: number): Promise<void> {
  const at = new Date(Date.now() - agoMs).toISOString();
  await remember({ seen: { at, serverUuid: 'u', executed: '', relayed: '', snapshot: false } });
}

/** Rows of long ago, in one statement. */
async function insertOldRows(count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await root.query(
    'INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, occurred_at) VALUES ?',
    [ids.map((id) => [id, 'board', id, 1, id, 'BoardCreated', 'payload', '2026-01-02 03:04:05'])],
  );
}

async function left(): Promise<number> {
  const [rows] = await root.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM outbox');
  return Number(rows[0]?.['n']);
}

async function purging(): Promise<number> {
  const [connections] = await root.query<RowDataPacket[]>('SHOW PROCESSLIST');
  return connections.filter(({ User: user, db }) => user === 'purge' && db === outbox.database).length;
}

it('purges what is shipped, shows what is left, and remembers that it did', async () => {
  await insertOldRows(30);
  expect(JSON.parse((await run('purge', '--dry-run', '--json')).out)).toMatchObject({
    kind: 'done',
    rows: 30,
    dryRun: true,
  });
  const { exitCode, out } = await run('purge', '--older-than', '2h');
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: '30 rows deleted, 0 idempotency keys deleted.\n' });
  const status = JSON.parse((await run('status', '--json')).out) as Record<string, unknown>;
  expect(status).toMatchObject({ rows: 0, connector: { isRunning: true }, lastPurge: { rows: 30, keys: 0 } });
  expect((await run('status')).out).toMatch(/^outbox +0 rows\n.*\n.*\nconnector .*RUNNING, task 0 RUNNING\n/);
}, 120_000);

it('a purge that is KILLED has deleted whole chunks, and the next one goes on from there', async () => {
  await insertOldRows(6_000);
  const child = spawn(process.execPath, [file, 'purge', ...whose()], { env: environment(), stdio: 'ignore' });
  await waitUntil('the first chunk is gone', async () => (await left()) < 6_000);
  child.kill('SIGKILL');
  await once(child, 'close');
  // The server may still be at the statement of the one that is dead.
  await waitUntil('its connection is gone', async () => (await purging()) === 0);
  const rest = await left();
  expect(rest).toBeGreaterThan(0);
  expect(rest % 1_000).toBe(0);
  expect(JSON.parse((await run('purge', '--json')).out)).toMatchObject({ kind: 'done', rows: rest });
  expect(await left()).toBe(0);
}, 120_000);

it('CANNOT TELL while something is suspected, until an operator acknowledges it', async () => {
  await insertOldRows(3);
  await remember({ suspicion: suspect({ reason: 'as planted', fence: 'open' }, new Date()) });
  const refused = await run('purge');
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toMatch(/Cannot tell .*as planted/);
  expect(await left()).toBe(3);
  expect((await run('status')).out).toMatch(/SUSPICION .*as planted/);
  expect((await run('acknowledge', '--reason', 'a test', '--yes')).exitCode).toBe(0);
  expect((await run('purge')).exitCode).toBe(0);
  expect(await left()).toBe(0);
}, 120_000);

it('CANNOT TELL while no keeper watches the relay', async () => {
  await insertOldRows(3);
  await keeperLooked(3_600_000);
  const refused = await run('purge');
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toMatch(/Cannot tell .*no keeper has looked at the connector since .*start the keeper/);
  expect(await left()).toBe(3);
}, 120_000);

it('a retention of minutes is a usage error: exit code 2', async () => {
  const { exitCode, err } = await run('purge', '--older-than', '5m');
  expect(err).toMatch(/at least 60m/);
  expect(exitCode).toBe(2);
}, 120_000);

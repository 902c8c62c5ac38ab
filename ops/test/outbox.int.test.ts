import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import {
  connectApi,
  registerConnector,
  relayMemory,
  createIncident,
  type RelayMemory,
} from '@board/relay';
import {
  openConnection,
  runMigrations,
  type DriverConnection,
  type RowDataPacket,
} from '@board/mysql';
import { inboxMigrations } from '@board/inbox';
import { connectKafka, openCompactedTopic } from '@board/kafka';
import { createIdempotencyTable } from '@board/outbox';
import { compileCache, waitUntil } from '@board/test';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { openMemoryTopic } from '../../packages/relay/test/support/open-memory-topic.ts';
import {
  openTemporaryOutbox,
  type TemporaryOutbox,
} from '../../packages/relay/test/support/open-temporary-outbox.ts';

const stack = inject('stack');
const { connectUrl, brokers, mysql } = stack;
const file = resolve(import.meta.dirname, '../commands/outbox.ts');

let outbox: TemporaryOutbox;
let topic: Awaited<ReturnType<typeof openMemoryTopic>>;
let root: DriverConnection;
beforeAll(async () => {
  outbox = await openTemporaryOutbox(stack);
  await outbox.query(createIdempotencyTable);
  // The consumer of this test has its tables in the same database.
  await runMigrations(
    {
      host: mysql.host,
      port: mysql.port,
      name: outbox.database,
      user: 'root',
      password: mysql.rootPassword,
    },
    inboxMigrations,
  );
  topic = await openMemoryTopic(stack);
  root = await openConnection({ ...mysqlAddress(), user: 'root', password: mysql.rootPassword });
  // The pipeline's own user, with the rights that it has there.
  for (const grant of grants) await root.query(`GRANT ${grant} TO ${purger}`);
  await registerConnector({ connectUrl, brokers, definition: outbox.definition });
}, 120_000);
afterAll(async () => {
  for (const grant of grants) await root.query(`REVOKE ${grant} FROM ${purger}`);
  await root.end();
  await topic.close();
  await outbox.close();
}, 120_000);
beforeEach(async () => {
  await root.query('DELETE FROM outbox');
  await rememberObservation(0);
});

const purger = "'purge'@'127.0.0.1'";
const grants = [
  'SELECT, DELETE ON outbox',
  'SELECT, DELETE ON idempotency_key',
  'SELECT (consumer, aggregatetype, aggregateid, version, event_id) ON mark',
  'SELECT (consumer, aggregatetype, aggregateid, version, event_id) ON parked',
  'SELECT (consumer, letter) ON dead_letter',
];
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
const placeOptions = () => [
  '--connector',
  outbox.definition.name,
  '--memory-topic',
  topic.name,
  '--consumer-database',
  `catalog=${outbox.database}`,
];

const run = (...args: string[]) => runAt({}, ...args);

function runAt(
  moved: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<{ exitCode: number | null; out: string; err: string }> {
  const env = { ...environment(), ...moved };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [file, ...args, ...placeOptions()],
      { env },
      (_error, out, err) => resolve({ exitCode: child.exitCode, out, err }),
    );
  });
}

async function remember(memory: RelayMemory): Promise<void> {
  const store = relayMemory(
    openCompactedTopic(connectKafka(stack, 'test'), topic.name),
    outbox.definition.name,
  );
  await store.remember(memory);
  await store.close();
}

/** Remembers an observation as the keeper does: no keeper runs in this test. */
async function rememberObservation(agoMs: number): Promise<void> {
  const at = new Date(Date.now() - agoMs).toISOString();
  await remember({ seen: { at, serverUuid: 'u', executed: '', relayed: '', snapshot: false } });
}

/** Inserts old rows in one statement. */
async function insertOldRows(count: number, by = root): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await by.query(
    `INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload,
      occurred_at) VALUES ?`,
    [ids.map((id) => [id, 'board', id, 1, id, 'BoardCreated', 'payload', '2026-01-02 03:04:05'])],
  );
  return ids;
}

async function left(): Promise<number> {
  const [rows] = await root.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM outbox');
  return Number(rows[0]?.['n']);
}

async function purging(): Promise<number> {
  const [connections] = await root.query<RowDataPacket[]>('SHOW PROCESSLIST');
  return connections.filter(({ User: user, db }) => user === 'purge' && db === outbox.database)
    .length;
}

it('purge deletes what is shipped, and status shows what is left and the last purge', async () => {
  await insertOldRows(30);
  expect(JSON.parse((await run('purge', '--dry-run', '--json')).out)).toMatchObject({
    kind: 'done',
    rows: 30,
    dryRun: true,
  });
  const { exitCode, out } = await run('purge', '--older-than', '2h');
  expect({ exitCode, out }).toEqual({
    exitCode: 0,
    out: '30 rows deleted, 0 idempotency keys deleted.\n',
  });
  const status = JSON.parse((await run('status', '--json')).out) as Record<string, unknown>;
  expect(status).toMatchObject({
    rows: 0,
    connector: { isRunning: true },
    lastPurge: { rows: 30, keys: 0 },
    incident: null,
    suspicion: null,
  });
  expect((await run('status')).out).toMatch(
    /^outbox +0 rows\n.*\n.*\nconnector .*RUNNING, task 0 RUNNING\n/,
  );
}, 120_000);

it('purge keeps and names rows that are not in the binlog, and redrive ships them', async () => {
  await insertOldRows(5);
  const other = await openConnection({
    ...mysqlAddress(),
    user: 'root',
    password: mysql.rootPassword,
  });
  // As a dump is loaded, and as a session with an old setting writes.
  await other.query('SET SESSION sql_log_bin = 0');
  const [unlogged = ''] = await insertOldRows(1, other);
  // MySQL refuses it below REPEATABLE READ, and so to our services.
  await other.query(
    "SET SESSION sql_log_bin = 1, SESSION binlog_format = 'STATEMENT', SESSION " +
      "transaction_isolation = 'REPEATABLE-READ'",
  );
  const [statement = ''] = await insertOldRows(1, other);
  await other.end();
  await insertOldRows(5);

  const purged = await run('purge', '--json');
  expect(JSON.parse(purged.out)).toMatchObject({
    kind: 'done',
    rows: 10,
    kept: { missing: 2, undecided: 0 },
  });
  expect(purged.err).toMatch(
    new RegExp(`2 old outbox rows never reached the topic.*${unlogged}.*${statement}.*redrive`),
  );
  expect(purged.exitCode).toBe(1);
  expect(await left()).toBe(2);

  expect((await run('redrive')).exitCode).not.toBe(0);
  const redriven = await run('redrive', '--yes');
  expect(redriven).toMatchObject({
    exitCode: 0,
    out: '2 rows shipped again. Now: npm run audit\n',
  });
  await outbox.readShipped((records) =>
    [unlogged, statement].every((id) => records.some(({ headers }) => headers['id'] === id)),
  );
  await rememberObservation(0);
  expect(JSON.parse((await run('purge', '--json')).out)).toMatchObject({
    rows: 2,
    kept: { missing: 0 },
  });
  expect(await left()).toBe(0);
}, 120_000);

it('redrive and skip-ddl leave the connector of another outbox unchanged', async () => {
  const connect = connectApi(connectUrl);
  const { name } = outbox.definition;
  // A running connector would move its position by itself.
  await connect.stop(name);
  const state = async () => (await connect.getStatus(name))?.connector.state;
  await waitUntil('stopped', async () => (await state()) === 'STOPPED');
  const before = [await connect.getOffsets(name), await connect.getConfig(name)];
  for (const command of ['redrive', 'skip-ddl']) {
    const { exitCode, err } = await runAt({ DATABASE_NAME: 'order_service' }, command, '--yes');
    expect(err).toMatch(
      `Nothing was done: the connector ${name} relays ${outbox.database}.outbox, not order_service`,
    );
    expect(exitCode).toBe(1);
  }
  expect([await connect.getOffsets(name), await connect.getConfig(name)]).toEqual(before);
  expect(await state()).toBe('STOPPED');
  await connect.resume(name);
}, 60_000);

it('a killed purge has deleted whole chunks, and the next one goes on from there', async () => {
  await insertOldRows(6_000);
  const child = spawn(process.execPath, [file, 'purge', ...placeOptions()], {
    env: environment(),
    stdio: 'ignore',
  });
  await waitUntil('the first chunk is gone', async () => (await left()) < 6_000);
  child.kill('SIGKILL');
  await once(child, 'close');
  // The server may still run the statement of the killed process.
  await waitUntil('its connection is gone', async () => (await purging()) === 0);
  const rest = await left();
  expect(rest).toBeGreaterThan(0);
  expect(rest % 1_000).toBe(0);
  expect(JSON.parse((await run('purge', '--json')).out)).toMatchObject({
    kind: 'done',
    rows: rest,
  });
  expect(await left()).toBe(0);
}, 120_000);

it('purge deletes nothing while an incident is open, until acknowledge closes it', async () => {
  await insertOldRows(3);
  await remember({ incident: createIncident({ reason: 'as planted', fence: 'open' }, new Date()) });
  const refused = await run('purge');
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toMatch(/Cannot tell .*as planted/);
  expect(await left()).toBe(3);
  expect((await run('status')).out).toMatch(/INCIDENT .*as planted/);
  expect((await run('acknowledge', '--reason', 'a test', '--yes')).exitCode).toBe(0);
  expect((await run('purge')).exitCode).toBe(0);
  expect(await left()).toBe(0);
}, 120_000);

it('purge deletes nothing while no keeper watches the relay', async () => {
  await insertOldRows(3);
  await rememberObservation(3_600_000);
  const refused = await run('purge');
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toMatch(
    /Cannot tell .*no keeper has observed the connector since .*start the keeper/,
  );
  expect(await left()).toBe(3);
}, 120_000);

it('purge exits with 2 when the retention is below 60 minutes', async () => {
  const { exitCode, err } = await run('purge', '--older-than', '5m');
  expect(err).toMatch(/at least 60m/);
  expect(exitCode).toBe(2);
}, 120_000);

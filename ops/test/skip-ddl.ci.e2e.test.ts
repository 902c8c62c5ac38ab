import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { openConnection, type DriverConnection, type RowDataPacket } from '@board/mysql';
import {
  connectApi,
  describeConnector,
  formatReport,
  isSkippingDdl,
  registerConnector,
  waitUntilShipped,
  type ConnectorDefinition,
  type RunSql,
} from '@board/relay';
import { createIdempotencyTable } from '@board/outbox';
import { createHealth, createLogger } from '@board/service';
import { startTcpProxy, waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { openMemoryTopic } from '../../packages/relay/test/support/open-memory-topic.ts';
import {
  openTemporaryOutbox,
  type TemporaryOutbox,
} from '../../packages/relay/test/support/open-temporary-outbox.ts';
import { healConnector } from '../../services/keeper/src/application/heal-connector.ts';
import { startOwnMysql, type OwnMysql } from '../../stack/test/support/start-own-mysql.ts';

const stack = inject('stack');
const api = connectApi(stack.connectUrl);

let mysql: OwnMysql;
let outbox: TemporaryOutbox;
let memory: Awaited<ReturnType<typeof openMemoryTopic>>;
let root: DriverConnection;
let definition: ConnectorDefinition;
beforeAll(async () => {
  // What stops this connector would stop every connector of the shared server.
  mysql = await startOwnMysql();
  outbox = await openTemporaryOutbox({ ...stack, mysql });
  await outbox.query(createIdempotencyTable);
  memory = await openMemoryTopic(stack);
  definition = {
    ...outbox.definition,
    'database.hostname': mysql.host,
    'database.port': String(mysql.port),
    'database.user': 'root',
    'database.password': mysql.rootPassword,
  };
  root = await openConnection({ ...address(), user: 'root', password: mysql.rootPassword });
  await root.query('CREATE DATABASE scratch');
  await registerConnector({ ...stack, definition });
}, 120_000);
afterAll(async () => {
  await root.end();
  await memory.close();
  await outbox.close();
  await mysql.stop();
}, 60_000);

const address = () => ({ host: mysql.host, port: mysql.port, database: outbox.database });
const sql: RunSql = async (text, values) =>
  (await root.query(text, [...(values ?? [])]))[0] as unknown[];

const file = resolve(import.meta.dirname, '../commands/outbox.ts');
const placeOptions = () => ['--connector', definition.name, '--memory-topic', memory.name];
const environment = () => ({
  DATABASE_HOST: mysql.host,
  DATABASE_PORT: String(mysql.port),
  DATABASE_NAME: outbox.database,
  DATABASE_USER: 'root',
  DATABASE_PASSWORD: mysql.rootPassword,
  KAFKA_BROKERS: stack.brokers.join(','),
  CONNECT_URL: stack.connectUrl,
});

interface Ran {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

function outboxCommand(
  args: readonly string[],
  moved: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((done) => {
    const env = { ...environment(), ...moved };
    const child = execFile(
      process.execPath,
      [file, ...args, '--yes', ...placeOptions()],
      { env },
      (_error, out, err) => done({ exitCode: child.exitCode, out, err }),
    );
  });
}

/** Runs the command on a terminal and answers each question when `isTime` is true. */
async function outboxDialog(
  args: readonly string[],
  questions: number,
  isTime: () => Promise<boolean>,
): Promise<Ran> {
  const command = [process.execPath, file, ...args, ...placeOptions()].join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, ...environment() },
  });
  onTestFinished(() => void child.kill());
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const closed = once(child, 'close');
  for (let asked = 1; asked <= questions; asked += 1) {
    await waitUntil('a question', () => out.split('[y/N]').length > asked, { timeoutMs: 30_000 });
    await waitUntil('the time to answer', isTime, { everyMs: 500, timeoutMs: 45_000 });
    child.stdin.write('y\n');
  }
  const [exitCode] = (await closed) as [number];
  return { exitCode, out, err: '' };
}

/** Expects a new row to arrive unchanged; its values differ, so that a wrong column is seen. */
async function ships(): Promise<void> {
  const id = randomUUID();
  const row = {
    id,
    aggregateId: `of ${id}`,
    version: 7,
    key: `key ${id}`,
    type: 'BoardCreated',
    traceparent: null,
  };
  await outbox.insert({
    ...row,
    payload: Buffer.from(id),
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  const wait = { connect: api, mysql: sql, connector: definition.name, timeoutMs: 30_000 };
  expect(await waitUntilShipped(wait)).toEqual({ kind: 'passed' });
  const records = await outbox.readShipped((read) =>
    read.some(({ headers }) => headers['id'] === id),
  );
  expect(records.findLast(({ headers }) => headers['id'] === id)).toMatchObject({
    key: row.key,
    value: Buffer.from(id),
    headers: {
      aggregateId: row.aggregateId,
      version: '7',
      eventType: row.type,
      occurredAt: '1767323045678901',
    },
  });
}

/** The alarm of the keeper after a restart that did not help. */
async function alarm(): Promise<string> {
  const { alarms } = createHealth();
  const job = healConnector({
    connect: api,
    connector: definition.name,
    everyMs: 100,
    alarms,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: { connector: () => undefined, restarted: () => undefined },
    now: () => performance.now(),
  });
  return waitUntil(
    'the alarm',
    async () => {
      await job.run(new AbortController().signal);
      return alarms.active().get('connector')?.reason;
    },
    { everyMs: 200, timeoutMs: 30_000 },
  );
}

const status = async (): Promise<string> =>
  formatReport(await describeConnector(api, definition.name));

const skipDdl = (...args: string[]) => outboxCommand(['skip-ddl', ...args]);

/** A statement that Debezium refuses, about an outbox of another database. */
async function createOtherOutbox(database: string): Promise<void> {
  await root.query('CREATE DATABASE ??', [database]);
  await root.query('CREATE TABLE ??.outbox (id INT, url TEXT)', [database]);
}

/** The command of the runbook. */
async function readTableAgain(): Promise<void> {
  expect(await outboxCommand(['redrive'])).toMatchObject({
    exitCode: 0,
    out: expect.stringContaining('shipped again'),
  });
}

it('alarm and status name a refused statement, and skip-ddl passes over that alone', async () => {
  await ships();
  await root.query('CREATE TABLE scratch.url (id INT)');
  await root.query('USE scratch');
  await root.query('TRUNCATE TABLE url');
  await root.query('USE ??', [outbox.database]);
  const explanation =
    'Debezium cannot parse the statement "TRUNCATE TABLE url": docs/runbook.md, "A refused ' +
    'statement"';
  expect(await alarm()).toContain(explanation);
  expect(await status()).toContain(explanation);

  expect(await skipDdl()).toMatchObject({
    exitCode: 0,
    out: expect.stringMatching(/^Passed over/),
  });
  expect(await api.getConfig(definition.name)).toEqual(definition);
  await ships();
}, 120_000);

it('skip-ddl passes over a statement that names an outbox only with --other-database', async () => {
  await root.query(`CREATE TABLE scratch.outbox (id INT COMMENT "it's, so", url TEXT)`);
  expect(await alarm()).toContain(
    `"CREATE TABLE scratch.outbox (id INT COMMENT 'it''s, so', url TEXT)"`,
  );
  const refused = await skipDdl();
  expect(refused).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('CREATE TABLE scratch.outbox'),
  });
  expect(refused.err).toMatch(/may have changed the outbox.*--other-database/);
  expect(await api.getConfig(definition.name)).toEqual(definition);

  // Run in the captured database, though about another one.
  expect(await skipDdl('--other-database')).toMatchObject({ exitCode: 0 });
  expect(await api.getConfig(definition.name)).toEqual(definition);
  // A start reads the whole history, which must not have taken in what the parser refuses.
  await api.stop(definition.name);
  await registerConnector({ ...stack, definition });
  await ships();
}, 120_000);

it('skip-ddl passes over several statements in a run with slow answers', async () => {
  for (const name of ['second', 'third']) await createOtherOutbox(name);
  await alarm();
  const sessions = async () =>
    (await root.query<RowDataPacket[]>('SHOW PROCESSLIST'))[0].filter(
      ({ db }) => db === outbox.database,
    );
  const before = new Set((await sessions()).map(({ Id: id }) => id));
  // Longer than the server keeps any other idle session of ours.
  const isIdle = async () =>
    (await sessions()).some(({ Id: id, Time: seconds }) => !before.has(id) && seconds > 31);
  const { exitCode, out } = await outboxDialog(['skip-ddl', '--other-database'], 2, isIdle);
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: expect.stringContaining('Passed over') });
  expect(await api.getConfig(definition.name)).toEqual(definition);
  await ships();
}, 180_000);

it('skip-ddl restores its setting when MySQL falls silent, the next run after a kill', async () => {
  await createOtherOutbox('fourth');
  await alarm();
  const link = await startTcpProxy(mysql);
  onTestFinished(link.close);
  const moved = { DATABASE_PORT: String(link.port), SERVER_DEADLINE_MS: '2000' };
  const running = outboxCommand(['skip-ddl', '--other-database'], moved);
  const isSkipping = async (): Promise<boolean> =>
    isSkippingDdl((await api.getConfig(definition.name)) ?? {});
  await waitUntil('its setting', isSkipping);
  link.set({ kind: 'half-open', drop: 'both' });
  expect(await running).toMatchObject({
    exitCode: 1,
    err: expect.stringMatching(/MySQL at .* has said nothing/),
  });
  expect(await api.getConfig(definition.name)).toEqual(definition);
  // The connector may have passed the statement or not.
  await skipDdl('--other-database');
  await ships();

  await createOtherOutbox('fifth');
  await alarm();
  const killed = spawn(
    process.execPath,
    [file, 'skip-ddl', '--other-database', '--yes', ...placeOptions()],
    {
      env: environment(),
      stdio: 'ignore',
    },
  );
  const closed = once(killed, 'close');
  await waitUntil('its setting', isSkipping);
  killed.kill('SIGKILL');
  await closed;
  await ships();
  expect(await skipDdl('--other-database')).toMatchObject({ exitCode: 0 });
  expect(await api.getConfig(definition.name)).toEqual(definition);
  await ships();
}, 180_000);

it('the recipe has the table read again after a refused change of the outbox', async () => {
  await root.query("SET SESSION sql_mode = 'ANSI_QUOTES'");
  await root.query(
    `ALTER TABLE "outbox" ADD COLUMN "region" VARCHAR(36) NOT NULL DEFAULT 'nowhere' FIRST`,
  );
  await root.query('SET SESSION sql_mode = DEFAULT');
  expect(await alarm()).toMatch(/"ALTER TABLE 'outbox' ADD COLUMN .*"A refused statement"/);
  expect((await skipDdl()).err).toMatch(/may have changed the outbox/);
  await readTableAgain();
  await ships();
}, 120_000);

it('a value that cannot be converted stops the task until the recipe ships it', async () => {
  // Of the columns that are shipped the only one that may be NULL: of any other Connect itself
  // would refuse the NULL.
  await root.query('SET SESSION sql_log_bin = 0');
  await root.query('ALTER TABLE outbox MODIFY traceparent INT NULL');
  await root.query('SET SESSION sql_log_bin = 1');
  await root.query(
    `INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload,
      traceparent, occurred_at) VALUES ('unfit', 'board', 'a', 1, 'k', 't', 'p', 7, NOW(6))`,
  );
  expect(await alarm()).toMatch(
    /traceparent' of type CHAR: docs\/runbook.md, "A row that does not fit"/,
  );
  await readTableAgain();
  const records = await outbox.readShipped((read) =>
    read.some(({ headers }) => headers['id'] === 'unfit'),
  );
  const unfit = records.filter(({ headers }) => headers['id'] === 'unfit');
  expect(unfit.map(({ headers }) => headers['traceparent'])).toEqual(['7']);
  await ships();
}, 120_000);

import {
  createDatabase,
  openConnection,
  runMigrations,
  type DriverConnection,
  type RowDataPacket,
} from '@board/mysql';
import { setFailpoint } from '@board/service/testing';
import { openInboxLab, thingLogHandler } from '@board/inbox/testing';
import { createTestSchema, startTcpProxy, waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createThing, openOutboxLab } from '@board/outbox/testing';
import { migrations as catalogMigrations } from '../../services/catalog-service/src/database/migrations.ts';
import { prepareOrderService } from '../../services/order-service/test/support/prepare-order-service.ts';
import {
  startService,
  type RunningService,
} from '../../services/order-service/test/support/start-service.ts';
import {
  createUsers,
  mysqlUsers,
  serviceDatabases,
  userStatements,
} from '../../provision/mysql-users.ts';
import { startOwnMysql, type OwnMysql } from '../../stack/test/support/start-own-mysql.ts';

/** Ends its own quotes where backslashes do not escape, and names what must not happen. */
const hostile = `a\\' , 'x'); DROP TABLE board; -- " \\\\ \\% é 김철수 😀`;

let own: OwnMysql;
let root: DriverConnection;

beforeAll(async () => {
  own = await startOwnMysql();
  root = await openConnection({
    host: own.host,
    port: own.port,
    user: 'root',
    password: own.rootPassword,
  });
}, 90_000);
afterAll(async () => {
  await root.end();
  await own.stop();
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(service: RunningService, path: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(`${service.url}${path}`, {
    ...init,
    headers: { 'Content-Type': 'application/json', ...(init.headers as Record<string, string>) },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const post = (service: RunningService, title = 'title', headers: Record<string, string> = {}) =>
  ask(service, '/boards', {
    method: 'POST',
    headers,
    body: JSON.stringify({ title, content: title }),
  });

/** A write that the server refused: the client may send it again. */
const notDone = {
  status: 503,
  body: { detail: 'The database takes no writes. So it was not done.' },
};

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);

test('after a switch-over /readyz and /alarms name the read-only server, and every pooled connection goes to the new one', async () => {
  const before = await prepareOrderService(own);
  const after = await prepareOrderService(inject('stack').mysql, before.name);
  const proxy = await startTcpProxy(own);
  onTestFinished(proxy.close);
  const service = await startService({ ...before.env, DATABASE_PORT: String(proxy.port) });
  await service.until('service.ready');
  // Connections of both pools.
  const ten = Array.from({ length: 10 });
  expect(new Set(statuses(await Promise.all(ten.map(() => post(service)))))).toEqual(
    new Set([201]),
  );
  await Promise.all(ten.map(() => ask(service, '/boards')));
  expect((await ask(service, '/alarms')).status).toBe(200);

  const reason = 'The database takes no writes: read_only is ON, super_read_only is ON.';
  await root.query('SET GLOBAL super_read_only = ON');
  try {
    expect(await ask(service, '/readyz')).toEqual({
      status: 503,
      body: { status: 'not ready', failing: { database: reason } },
    });
    expect(await post(service)).toMatchObject(notDone);
    await waitUntil('the alarm', async () => (await ask(service, '/alarms')).status === 503);
    expect((await ask(service, '/alarms')).body).toMatchObject({
      alarms: { database: { reason } },
    });
    // What only reads goes on.
    expect((await ask(service, '/boards')).status).toBe(200);

    await root.query('SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF');
    await waitUntil(
      'it heals where it is',
      async () => (await ask(service, '/alarms')).status === 200,
    );
    expect((await ask(service, '/readyz')).status).toBe(200);
    await root.query('ALTER SCHEMA ?? READ ONLY = 1', [before.name]);
    expect((await ask(service, '/readyz')).body).toMatchObject({
      failing: { database: 'The database takes no writes: the schema is READ ONLY.' },
    });
    expect(await post(service)).toMatchObject(notDone);
    await root.query('ALTER SCHEMA ?? READ ONLY = 0', [before.name]);
    await waitUntil('it heals again', async () => (await ask(service, '/alarms')).status === 200);
    expect(statuses(await Promise.all(ten.map(() => post(service))))).toEqual(ten.map(() => 201));
    await Promise.all(ten.map(() => ask(service, '/boards')));

    await root.query('SET GLOBAL super_read_only = ON');
    // The address leads to the new server, while the old one keeps its connections open.
    proxy.redirect(inject('stack').mysql);
    const first = await waitUntil('a write is taken', async () => {
      const answer = await post(service);
      return answer.status === 201 && answer;
    });
    // None of the other connections may cost a command, and reads must see what was written.
    expect(statuses(await Promise.all(ten.map(() => post(service))))).toEqual(ten.map(() => 201));
    const reads = await Promise.all(
      ten.map(() => ask(service, `/boards/${String(first.body['id'])}`)),
    );
    expect(statuses(reads)).toEqual(ten.map(() => 200));
    expect((await ask(service, '/readyz')).status).toBe(200);
    await waitUntil('the alarm ends', async () => (await ask(service, '/alarms')).status === 200);
    const [boards] = await after.root.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM board');
    expect(boards[0]?.['n']).toBe(11);
  } finally {
    await root.query('SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF');
  }
});

test('a COMMIT that the server refuses, because it became read-only meanwhile, is said to be not done', async () => {
  const lab = await openOutboxLab({ ...inject('stack'), mysql: own });
  const { commits } = await lab.open();
  const undo = setFailpoint('before-commit', async () => {
    undo();
    await root.query('SET GLOBAL super_read_only = ON');
  });
  onTestFinished(undo);
  try {
    const refused = commits.commit(createThing('a'));
    await expect(refused).rejects.toThrow('The database takes no writes. So it was not done.');
    expect(await lab.rows('SELECT id FROM outbox')).toEqual([]);
  } finally {
    await root.query('SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF');
  }
});

test('setup that dies after any statement runs again, to the same users and grants', async () => {
  const { passwords } = inject('stack');
  const admin = { host: own.host, port: own.port, user: 'root', password: own.rootPassword };
  const statements = userStatements(passwords);
  const [made] = await root.query<RowDataPacket[]>('SELECT 1 FROM mysql.user WHERE user = ?', [
    'cdc',
  ]);
  expect(made).toEqual([]);

  async function describeUsers(): Promise<unknown> {
    const [users] = await root.query<RowDataPacket[]>(
      "SELECT user FROM mysql.user WHERE host = '127.0.0.1' ORDER BY user",
    );
    const grants = [];
    for (const { user } of users)
      grants.push((await root.query(`SHOW GRANTS FOR ?@'127.0.0.1'`, [user]))[0]);
    return grants;
  }
  async function dropAll(): Promise<void> {
    const [users] = await root.query<RowDataPacket[]>(
      "SELECT user FROM mysql.user WHERE host = '127.0.0.1'",
    );
    for (const { user } of users) await root.query("DROP USER ?@'127.0.0.1'", [user]);
    for (const name of [...serviceDatabases, 'registry'])
      await root.query(`DROP DATABASE IF EXISTS ${name}`);
  }
  // Nothing here must survive a crash of the machine.
  await root.query('SET GLOBAL sync_binlog = 0, GLOBAL innodb_flush_log_at_trx_commit = 2');
  await createUsers(admin, passwords);
  const undisturbed = await describeUsers();
  expect(undisturbed).toHaveLength(mysqlUsers.length);
  await dropAll();
  // It dies again and again, one statement later each time.
  for (let dead = 1; dead <= statements.length; dead += 1)
    for (const { sql, values } of statements.slice(0, dead)) await root.query(sql, [...values]);
  expect(await describeUsers()).toEqual(undisturbed);
  await dropAll();
  await root.query('SET GLOBAL sync_binlog = 1, GLOBAL innodb_flush_log_at_trx_commit = 1');
});

test('a server whose defaults would break us: text goes in and out unchanged, what is too long is refused, and no row is cut off', async () => {
  const stack = { ...inject('stack'), mysql: own };
  const { env, connection } = await prepareOrderService(own);
  const lab = await openInboxLab(stack);
  onTestFinished(lab.close);
  const migrated = await createTestSchema(stack);
  onTestFinished(migrated.drop);

  const globals: readonly [string, string][] = [
    ['sql_mode', "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT'"],
    ['sql_select_limit', '1'],
    ['sql_safe_updates', 'ON'],
    ['sql_auto_is_null', 'ON'],
    ['autocommit', 'OFF'],
    ['completion_type', 'CHAIN'],
    ['transaction_isolation', "'REPEATABLE-READ'"],
    ['transaction_read_only', 'ON'],
    ['max_execution_time', '1'],
    ['time_zone', "'+09:00'"],
    ['unique_checks', 'OFF'],
    ['default_storage_engine', "'MyISAM'"],
    ['sql_require_primary_key', 'ON'],
    ['max_join_size', '1'],
    // For users who are no administrators, as order-service's.
    ['init_connect', "'SET NAMES latin1'"],
  ];
  await root.query(
    `SET GLOBAL ${globals.map(([name, value]) => `${name} = ${value}`).join(', GLOBAL ')}`,
  );
  try {
    await runMigrations(migrated.connection, catalogMigrations);
    const [engines] = await migrated.root.query<RowDataPacket[]>(
      'SELECT DISTINCT ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
      [migrated.name],
    );
    expect(engines).toEqual([{ engine: 'InnoDB' }]);

    const service = await startService(env);
    await service.until('service.ready');
    const key = { 'Idempotency-Key': 'a-key-for-one-request' };
    const created = await post(service, hostile, key);
    expect([created.status, created.body['title'], created.body['content']]).toEqual([
      201,
      hostile,
      hostile,
    ]);
    expect(await post(service, hostile, key)).toEqual(created);
    expect((await post(service, 'another')).status).toBe(201);
    const path = `/boards/${String(created.body['id'])}`;
    const edited = await ask(service, path, {
      method: 'PATCH',
      body: JSON.stringify({ content: `${hostile}2` }),
    });
    expect([edited.status, edited.body['version']]).toEqual([200, 2]);
    expect((await ask(service, path)).body).toMatchObject({
      title: hostile,
      content: `${hostile}2`,
    });
    expect((await ask(service, '/boards')).body['boards']).toHaveLength(2);

    const database = createDatabase({ connection, entities: [] });
    onTestFinished(() => database.close());
    await database.open();
    const insert = (title: string) =>
      database.transaction((tx) =>
        tx.query(
          'INSERT INTO board (id, version, title, content, created_at, updated_at) VALUES (?)',
          [['by-hand', 1, title, '', new Date(), new Date()]],
        ),
      );
    await expect(insert('x'.repeat(201))).rejects.toThrow("Data too long for column 'title'");

    // The inbox: parked, applied, failed, all with such texts; its own migrations are tables with
    // transactions.
    const text = 'no\\';
    const handler = thingLogHandler({
      sabotage: ({ aggregateId }) => {
        if (aggregateId === 'bad') throw new Error(hostile);
      },
    });
    const inbox = await lab.start(handler, { retryTiers: 1 });
    await lab.produce([
      lab.thing("a'\\", 2, { text }),
      lab.thing("a'\\", 1, { text }),
      lab.thing('bad', 1, { text }),
      lab.thing('bad', 2, { text }),
    ]);
    await lab.caughtUp();
    await waitUntil('all is applied, parked or dead', async () => {
      const [row] = await lab.rows<{ n: number }>(
        'SELECT (SELECT COUNT(*) FROM thing_log) + (SELECT COUNT(*) FROM parked) + (SELECT COUNT(*) FROM dead_letter) AS n',
      );
      return row?.n === 4;
    });
    const applied = await lab.rows<{ aggregateid: string; version: number }>(
      'SELECT aggregateid, version FROM thing_log ORDER BY seq',
    );
    expect(applied.map(({ aggregateid, version }) => `${aggregateid} ${version}`)).toEqual([
      "a'\\ 1",
      "a'\\ 2",
    ]);
    const [deadLetter] = await lab.rows<{ error_message: string }>(
      'SELECT error_message FROM dead_letter',
    );
    expect(deadLetter?.error_message).toBe(hostile);
    await inbox.stop();
  } finally {
    await root.query(
      `SET GLOBAL ${globals.map(([name]) => `${name} = DEFAULT`).join(', GLOBAL ')}`,
    );
  }
});

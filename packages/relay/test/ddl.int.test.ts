import { randomUUID } from 'node:crypto';
import {
  openConnection,
  runMigrations,
  type DriverConnection,
  type RowDataPacket,
} from '@board/mysql';
import { allowAggregateTypes } from '@board/outbox';
import { createTestSchema, waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations as catalogMigrations } from '../../../services/catalog-service/src/database/migrations.ts';
import { migrations as orderMigrations } from '../../../services/order-service/src/database/migrations.ts';
import { startOwnMysql, type OwnMysql } from '../../../stack/test/support/start-own-mysql.ts';
import {
  connectApi,
  describeConnector,
  formatReport,
  registerConnector,
  waitUntilShipped,
  type ConnectorDefinition,
  type RunSql,
} from '../src/index.ts';
import { foreignStatements } from './support/foreign-statements.ts';
import {
  openTemporaryOutbox,
  type OutboxRow,
  type TemporaryOutbox,
} from './support/open-temporary-outbox.ts';

/**
 * What an upgrade of Debezium is checked with: all of this passes by the running connector, which
 * goes on and ships.
 */
const stack = inject('stack');
const api = connectApi(stack.connectUrl);

let mysql: OwnMysql;
let outbox: TemporaryOutbox;
let root: DriverConnection;
let definition: ConnectorDefinition;
beforeAll(async () => {
  // Accounts, flushes and swaps of the table would disturb the other tests on the shared server.
  mysql = await startOwnMysql();
  outbox = await openTemporaryOutbox({ ...stack, mysql });
  definition = {
    ...outbox.definition,
    'database.hostname': mysql.host,
    'database.port': String(mysql.port),
    'database.user': 'root',
    'database.password': mysql.rootPassword,
  };
  root = await openConnection({
    host: mysql.host,
    port: mysql.port,
    user: 'root',
    password: mysql.rootPassword,
    database: outbox.database,
  });
  await root.query('CREATE DATABASE scratch');
  await registerConnector({ ...stack, definition });
}, 120_000);
afterAll(async () => {
  await root.end();
  await outbox.close();
  await mysql.stop();
}, 60_000);

const sql: RunSql = async (text, values) =>
  (await root.query(text, [...(values ?? [])]))[0] as unknown[];

const written: OutboxRow[] = [];

/** Commits a row, and waits until it is in Kafka. */
async function ship(what: string): Promise<void> {
  await insert();
  const fence = await waitUntilShipped({
    connect: api,
    mysql: sql,
    connector: definition.name,
    timeoutMs: 20_000,
  });
  if (fence.kind === 'passed') return;
  throw new Error(
    `${what}: ${fence.reason}\n${formatReport(await describeConnector(api, definition.name))}`,
  );
}

/** All columns of a row differ, so that a value under a wrong column is noticed. */
async function insert(): Promise<void> {
  const id = randomUUID();
  const row: OutboxRow = {
    id,
    aggregateId: `aggregate ${id}`,
    version: written.length + 1,
    key: `홍길동 ${id}`,
    type: 'BoardCreated',
    payload: Buffer.from([0, 0, 0, 0, 1, 0xff, ...Buffer.from(id)]),
    traceparent:
      written.length % 2 === 0 ? null : '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    occurredAt: '2026-01-02 03:04:05.678901',
  };
  await outbox.insert(row);
  written.push(row);
}

async function run(statements: readonly string[]): Promise<void> {
  for (const statement of statements)
    await root.query(statement).catch((cause: unknown) => {
      throw new Error(`MySQL refuses: ${statement}`, { cause });
    });
}

/**
 * As an upgrade or a crash of the worker would: from the stored position, the table's shape out of
 * the history.
 */
async function restart(): Promise<void> {
  await api.stop(definition.name);
  await waitUntil(
    'stopped',
    async () => (await api.getStatus(definition.name))?.tasks.length === 0,
  );
  await api.resume(definition.name);
}

/** Expects every row in the topic, value by value as it was written. */
async function expectRows(): Promise<void> {
  const records = await outbox.readShipped((read) => read.length >= written.length);
  const shipped = new Map(
    records.map(({ key, value, headers }) => [headers['id'], { key, value, headers }]),
  );
  const wanted = written.map(({ id, aggregateId, version, key, type, payload, traceparent }) => ({
    key,
    value: payload,
    headers: {
      id,
      aggregateId,
      version: String(version),
      eventType: type,
      traceparent: traceparent ?? undefined,
      occurredAt: '1767323045678901',
    },
  }));
  expect(written.map(({ id }) => shipped.get(id))).toEqual(wanted);
}

describe('the connector ships on after', () => {
  afterAll(expectRows, 60_000);

  it('every migration of order-service and of the inbox', async () => {
    for (const migrations of [orderMigrations, catalogMigrations]) {
      const schema = await createTestSchema({ mysql });
      await runMigrations(schema.connection, migrations);
      await ship('migrations');
      await schema.drop();
    }
    await ship('dropped databases');
  });

  it.each(Object.keys(foreignStatements('')))('%s', async (kind) => {
    await run(foreignStatements(outbox.database)[kind] ?? []);
    await ship(kind);
  });
});

describe('the connector follows the outbox, column by column, through', () => {
  afterEach(expectRows, 60_000);

  it('added, moved and dropped columns, and a restart', async () => {
    await run([
      "ALTER TABLE outbox ADD COLUMN region VARCHAR(8) NOT NULL DEFAULT (CONCAT('re', 'gion')) FIRST",
    ]);
    await ship('ADD COLUMN');
    await restart();
    await ship('restart');
    await run([
      'ALTER TABLE outbox MODIFY COLUMN traceparent CHAR(55) CHARACTER SET ascii COLLATE ascii_bin NULL FIRST',
    ]);
    await insert();
    await run(['ALTER TABLE outbox DROP COLUMN region']);
    await ship('DROP COLUMN');
    await run([
      `ALTER TABLE outbox ADD COLUMN url VARCHAR(9)`.replace('url', '`url`'),
      'ALTER TABLE outbox DROP COLUMN `url`',
    ]);
    await ship('quoted names');
  });

  it('a new check of the aggregate types while rows are written, and a restart', async () => {
    const [types] = await root.query<RowDataPacket[]>(
      'SELECT DISTINCT aggregatetype AS type FROM outbox',
    );
    const allowed = [...types.map(({ type }) => String(type)), 'added'];
    const runner = {
      query: async (statement: string) => (await root.query(statement))[0] as never,
    };
    await insert();
    await Promise.all([allowAggregateTypes(runner, allowed), insert(), insert()]);
    await ship('another check');
    await restart();
    await ship('restart');
    await expect(allowAggregateTypes(runner, ['added'])).rejects.toThrow('outbox_aggregatetype');
    await ship('a check that rows break is refused');
  });

  it('a swap by gh-ost with restarts before and after its cut-over', async () => {
    const at = `\`${outbox.database}\``;
    await run([
      `drop /* gh-ost */ table if exists ${at}.\`_outbox_gho\``,
      `drop /* gh-ost */ table if exists ${at}.\`_outbox_del\``,
      `create /* gh-ost */ table ${at}.\`_outbox_ghc\` (
        id bigint unsigned auto_increment,
        last_update timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        hint varchar(64) charset ascii not null,
        value varchar(4096) charset ascii not null,
        primary key(id),
        unique key hint_uidx(hint)
      ) auto_increment=256 comment='20261129120000'`,
      `create /* gh-ost */ table ${at}.\`_outbox_gho\` like ${at}.\`outbox\``,
    ]);
    await run([
      `alter /* gh-ost */ table ${at}.\`_outbox_gho\` ADD COLUMN tenant VARCHAR(36) NULL FIRST, MODIFY COLUMN payload MEDIUMBLOB NOT NULL FIRST`,
    ]);
    await ship('the ghost table is altered');
    await restart();
    await run([
      `insert /* gh-ost ${at}.\`outbox\` */ ignore into ${at}.\`_outbox_gho\` (${columns}) (select ${columns} from ${at}.\`outbox\` force index (\`PRIMARY\`) where (((\`seq\` >= 1))) lock in share mode)`,
      `create /* gh-ost */ table ${at}.\`_outbox_del\` (id int auto_increment primary key) engine=InnoDB comment='ghost-cut-over-sentry'`,
    ]);
    await cutOver(at);
    await ship('the cut-over');
    await restart();
    await ship('the cut-over and a restart');
    await run([
      `drop /* gh-ost */ table if exists ${at}.\`_outbox_ghc\``,
      `drop /* gh-ost */ table if exists ${at}.\`_outbox_del\``,
    ]);
  });

  it('a swap by pt-online-schema-change with a restart after its CREATE', async () => {
    const at = `\`${outbox.database}\``;
    const [shown] = (await sql('SHOW CREATE TABLE outbox')) as readonly Record<string, string>[];
    // The tool renames the constraints, whose names a schema may have only once.
    const create = (shown?.['Create Table'] ?? '').replaceAll('CONSTRAINT `', 'CONSTRAINT `_');
    await run([create.replace('CREATE TABLE `outbox`', `CREATE TABLE ${at}.\`_outbox_new\``)]);
    await restart();
    await run([
      `ALTER TABLE ${at}.\`_outbox_new\` DROP COLUMN tenant, ADD COLUMN origin VARCHAR(36) NULL AFTER seq`,
      trigger(
        at,
        'del',
        'DELETE',
        `DELETE IGNORE FROM ${at}.\`_outbox_new\` WHERE ${at}.\`_outbox_new\`.\`seq\` <=> OLD.\`seq\`;`,
      ),
      trigger(
        at,
        'upd',
        'UPDATE',
        `DELETE IGNORE FROM ${at}.\`_outbox_new\` WHERE !(OLD.\`seq\` <=> NEW.\`seq\`) AND ${at}.\`_outbox_new\`.\`seq\` <=> OLD.\`seq\`; ${replaceNew(at)}`,
      ),
      trigger(at, 'ins', 'INSERT', replaceNew(at)),
    ]);
    await ship('the triggers');
    await run([
      `INSERT LOW_PRIORITY IGNORE INTO ${at}.\`_outbox_new\` (${columns}) SELECT ${columns} FROM ${at}.\`outbox\` LOCK IN SHARE MODE /*pt-online-schema-change 4242 copy table*/`,
      `ANALYZE TABLE ${at}.\`_outbox_new\` /* pt-online-schema-change */`,
    ]);
    await ship('the copy');
    await run([
      `RENAME TABLE ${at}.\`outbox\` TO ${at}.\`_outbox_old\`, ${at}.\`_outbox_new\` TO ${at}.\`outbox\``,
    ]);
    await ship('the swap');
    await run([
      `DROP TABLE IF EXISTS ${at}.\`_outbox_old\``,
      ...['del', 'upd', 'ins'].map(
        (name) => `DROP TRIGGER IF EXISTS ${at}.\`pt_osc_outbox_${name}\``,
      ),
    ]);
    await ship('the clean-up');
  });
});

const columns =
  '`seq`, `id`, `aggregatetype`, `aggregateid`, `version`, `partition_key`, `type`, `payload`, `traceparent`, `occurred_at`';

/** One session holds the lock while the other's RENAME waits for it. */
async function cutOver(at: string): Promise<void> {
  const { host, port, rootPassword: password } = mysql;
  const renaming = await openConnection({ host, port, user: 'root', password });
  try {
    await run([`lock /* gh-ost */ tables ${at}.\`outbox\` write, ${at}.\`_outbox_del\` write`]);
    const renamed = renaming.query(
      `rename /* gh-ost */ table ${at}.\`outbox\` to ${at}.\`_outbox_del\`, ${at}.\`_outbox_gho\` to ${at}.\`outbox\``,
    );
    const isWaiting = async () =>
      ((await sql('SHOW PROCESSLIST')) as readonly { State: string | null }[]).some(
        ({ State: state }) => state?.startsWith('Waiting for table metadata lock'),
      );
    await waitUntil('the RENAME waits', isWaiting);
    await run([`drop /* gh-ost */ table if exists ${at}.\`_outbox_del\``, 'unlock tables']);
    await renamed;
  } finally {
    await renaming.end();
  }
}

function replaceNew(at: string): string {
  const values = columns.replaceAll('`seq`', 'NEW.`seq`').replaceAll(', `', ', NEW.`');
  return `REPLACE INTO ${at}.\`_outbox_new\` (${columns}) VALUES (${values});`;
}

function trigger(at: string, name: string, event: string, body: string): string {
  return `CREATE TRIGGER ${at}.\`pt_osc_outbox_${name}\` AFTER ${event} ON ${at}.\`outbox\` FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER FOR 1146 begin end; ${body} END`;
}

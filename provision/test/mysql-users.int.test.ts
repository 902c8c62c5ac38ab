import { openConnection } from '@board/mysql';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { createUsers, grantTables } from '../mysql-users.ts';

const { mysql, passwords } = inject('stack');
const admin = { host: mysql.host, port: mysql.port, user: 'root', password: mysql.rootPassword };

async function run(user: string, sql: string): Promise<'allowed' | 'refused'> {
  const connection = await openConnection({ ...admin, user, password: passwords[user] ?? '' });
  try {
    await connection.beginTransaction();
    await connection.query(sql);
    return 'allowed';
  } catch (error) {
    // Access denied: to a database, to a table, to a column, a missing server-wide privilege.
    const refusals = [
      'ER_DBACCESS_DENIED_ERROR',
      'ER_TABLEACCESS_DENIED_ERROR',
      'ER_COLUMNACCESS_DENIED_ERROR',
      'ER_SPECIFIC_ACCESS_DENIED_ERROR',
    ];
    if (error instanceof Error && 'code' in error && refusals.includes(String(error.code)))
      return 'refused';
    throw error;
  } finally {
    await connection.rollback();
    await connection.end();
  }
}

beforeAll(async () => {
  // Twice, after the setup itself has done it: no harm.
  for (let call = 1; call <= 2; call++) {
    await createUsers(admin, passwords);
    await grantTables(admin);
  }
});

const orders = 'order_service';
const catalog = 'catalog_service';

describe.each<[string, readonly string[], readonly string[]]>([
  [
    'order_service',
    [
      `INSERT INTO ${orders}.outbox SELECT * FROM ${orders}.outbox WHERE FALSE`,
      `INSERT INTO ${orders}.board SELECT * FROM ${orders}.board WHERE FALSE`,
      `UPDATE ${orders}.board SET version = 1 WHERE FALSE`,
      `INSERT INTO ${orders}.idempotency_key SELECT * FROM ${orders}.idempotency_key WHERE FALSE`,
      `INSERT INTO ${orders}.event_schema SELECT * FROM ${orders}.event_schema WHERE FALSE`,
      `SELECT id FROM ${orders}.board WHERE FALSE FOR UPDATE`,
      `SELECT * FROM ${orders}.migrations`,
    ],
    [
      `UPDATE ${orders}.outbox SET version = 1 WHERE FALSE`,
      `DELETE FROM ${orders}.outbox WHERE FALSE`,
      `TRUNCATE ${orders}.outbox`,
      `UPDATE ${orders}.idempotency_key SET seq = 1 WHERE FALSE`,
      `DELETE FROM ${orders}.idempotency_key WHERE FALSE`,
      `DELETE FROM ${orders}.event_schema WHERE FALSE`,
      `DELETE FROM ${orders}.board WHERE FALSE`,
      `DELETE FROM ${orders}.migrations WHERE FALSE`,
      `INSERT INTO ${orders}.migrations (timestamp, name) VALUES (1, 'x')`,
      `CREATE TABLE ${orders}.test_x (id INT)`,
      `DROP TABLE ${orders}.outbox`,
      `SELECT * FROM ${catalog}.migrations`,
      'SELECT * FROM mysql.user',
      'FLUSH OPTIMIZER_COSTS',
    ],
  ],
  [
    'catalog_service',
    [`SELECT * FROM ${catalog}.migrations`, `DELETE FROM ${catalog}.migrations WHERE FALSE`],
    [
      `SELECT * FROM ${orders}.board`,
      `SELECT * FROM ${orders}.outbox`,
      `CREATE TABLE ${catalog}.test_x (id INT)`,
      `DROP TABLE ${catalog}.migrations`,
      'CREATE DATABASE test_x',
    ],
  ],
  [
    'migrations',
    [`SELECT * FROM ${orders}.migrations`, `DELETE FROM ${catalog}.migrations WHERE FALSE`],
    [
      'CREATE DATABASE test_x',
      'CREATE TABLE registry.test_x (id INT)',
      'CREATE USER test_x',
      'SELECT * FROM mysql.user',
    ],
  ],
  [
    'purge',
    [
      `SELECT seq FROM ${orders}.outbox WHERE FALSE`,
      `DELETE FROM ${orders}.outbox WHERE FALSE`,
      `DELETE FROM ${orders}.idempotency_key WHERE FALSE`,
      `SELECT version, event_id FROM ${catalog}.mark WHERE consumer = 'x' AND aggregatetype = 'x' AND aggregateid = 'x'`,
      `SELECT event_id FROM ${catalog}.parked WHERE (consumer, aggregatetype, aggregateid, version) IN (('x', 'x', 'x', 1))`,
      `SELECT letter FROM ${catalog}.dead_letter WHERE consumer = 'x' AND letter = 'x'`,
      'FLUSH OPTIMIZER_COSTS',
    ],
    [
      `SELECT record_value FROM ${catalog}.parked WHERE FALSE`,
      `SELECT error_message FROM ${catalog}.dead_letter WHERE FALSE`,
      `SELECT * FROM ${catalog}.catalog WHERE FALSE`,
      `DELETE FROM ${catalog}.mark WHERE FALSE`,
      `UPDATE ${orders}.outbox SET version = 1 WHERE FALSE`,
      `INSERT INTO ${orders}.outbox SELECT * FROM ${orders}.outbox WHERE FALSE`,
      `TRUNCATE ${orders}.outbox`,
      `SELECT * FROM ${orders}.board`,
    ],
  ],
  [
    'audit',
    [
      `SELECT * FROM ${orders}.board WHERE FALSE`,
      `SELECT * FROM ${catalog}.migrations`,
      'FLUSH OPTIMIZER_COSTS',
    ],
    [
      'FLUSH TABLES',
      `UPDATE ${orders}.board SET version = 1 WHERE FALSE`,
      `DELETE FROM ${orders}.outbox WHERE FALSE`,
      `DELETE FROM ${catalog}.migrations WHERE FALSE`,
      `SELECT id FROM ${orders}.board WHERE FALSE FOR UPDATE`,
    ],
  ],
  [
    'cdc',
    [
      `SELECT * FROM ${orders}.outbox WHERE FALSE`,
      'FLUSH OPTIMIZER_COSTS',
      'SHOW BINARY LOG STATUS',
      'SHOW REPLICAS',
    ],
    [
      `INSERT INTO ${orders}.outbox SELECT * FROM ${orders}.outbox WHERE FALSE`,
      `DELETE FROM ${orders}.outbox WHERE FALSE`,
      'SET GLOBAL max_connections = 150',
      'CREATE DATABASE test_x',
    ],
  ],
  [
    'registry',
    ['SHOW TABLES FROM registry'],
    [`SELECT * FROM ${orders}.board`, `SELECT * FROM ${catalog}.migrations`],
  ],
])('the MySQL user %s', (user, allowed, refused) => {
  it.each(allowed)('may %s', async (sql) => {
    expect(await run(user, sql)).toBe('allowed');
  });

  it.each(refused)('may not %s', async (sql) => {
    expect(await run(user, sql)).toBe('refused');
  });
});

describe('createUsers', () => {
  it('makes a changed password take effect', async () => {
    await createUsers(admin, { ...passwords, audit: 'another-password' });
    await expect(run('audit', 'SELECT 1')).rejects.toThrow('Access denied');
    await createUsers(admin, passwords);
    expect(await run('audit', 'SELECT 1')).toBe('allowed');
  });
});

describe('grantTables', () => {
  it('says what is missing when the migrations have not run', async () => {
    await expect(grantTables({ ...admin, password: 'wrong' })).rejects.toThrow('Access denied');
    await expect(grantTables(admin, 'no-such-host')).rejects.toThrow('have the users been created');
  });
});

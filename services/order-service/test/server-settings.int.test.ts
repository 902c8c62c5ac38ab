import {
  createDatabase,
  openConnection,
  type Connection,
  type DriverConnection,
} from '@board/mysql';
import { databaseEnvironment } from '@board/test';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { startOwnMysql, type OwnMysql } from '../../../stack/test/support/start-own-mysql.ts';
import { startService } from './support/start-service.ts';

let mysql: OwnMysql;
let root: DriverConnection;
let connection: Connection;

beforeAll(async () => {
  mysql = await startOwnMysql(['--max-allowed-packet=8M']);
  const { host, port, rootPassword: password } = mysql;
  root = await openConnection({ host, port, user: 'root', password });
  await root.query('CREATE DATABASE boards');
  connection = { host, port, name: 'boards', user: 'root', password };
}, 90_000);
afterAll(async () => {
  await root.end();
  await mysql.stop();
});

async function open(): Promise<void> {
  const database = createDatabase({ connection, entities: [] });
  try {
    await database.open();
  } finally {
    await database.close();
  }
}

describe('a MySQL server that breaks the guarantee', () => {
  it.each([
    ['sync_binlog', 0, 1],
    ['innodb_flush_log_at_trx_commit', 2, 1],
    ['binlog_row_image', 'MINIMAL', 'FULL'],
    ['binlog_format', 'MIXED', 'ROW'],
    ['binlog_order_commits', 'OFF', 'ON'],
    ['gtid_mode', 'ON_PERMISSIVE', 'ON'],
  ])(
    'by %s = %s is refused at the start, with a sentence that names the setting',
    async (name, wrong, right) => {
      await open();
      await root.query(`SET GLOBAL ${name} = ?`, [wrong]);
      try {
        await expect(open()).rejects.toThrow(`${name} is ${wrong}, must be ${right}`);
      } finally {
        await root.query(`SET GLOBAL ${name} = ?`, [right]);
      }
      await open();
    },
  );

  it('by a packet that is too small ends order-service at once, with the name of the setting', async () => {
    const service = await startService({
      ...databaseEnvironment(connection),
      REGISTRY_URL: inject('stack').registryUrl,
    });
    const line = await service.until('process.failed');
    expect(JSON.stringify(line)).toContain('max_allowed_packet of MySQL has room for 8388608');
    expect(await service.ended).toBe(1);
  });
});

it('a MySQL server without a binlog is refused', async () => {
  const without = await startOwnMysql(['--skip-log-bin']);
  onTestFinished(without.stop);
  const { host, port, rootPassword: password } = without;
  const database = createDatabase({
    connection: { host, port, name: 'mysql', user: 'root', password },
    entities: [],
  });
  onTestFinished(() => database.close());
  await expect(database.open()).rejects.toThrow('log_bin is OFF, must be ON');
}, 90_000);

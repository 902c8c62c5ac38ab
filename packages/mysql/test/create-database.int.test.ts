import {
  assertServerSettings,
  connectionOptions,
  createDatabase,
  pinSession,
  ServerSettingsError,
} from '../src/index.ts';
import { pinnedVariables } from '../src/session-settings.ts';
import { UnavailableError } from '@board/service';
import { createTestSchema, startTcpProxy, type Fault } from '@board/test';
import { DataSource, type EntityManager } from 'typeorm';
import { expect, inject, onTestFinished, test } from 'vitest';

const ask = (manager: EntityManager): Promise<unknown> => manager.query("SELECT 'yes' AS answer");
const limitMs = 2_000;

/** A schema whose connection leads through a proxy. */
async function prepare() {
  const { root, connection, drop } = await createTestSchema(inject('stack'));
  onTestFinished(drop);
  const proxy = await startTcpProxy(connection);
  onTestFinished(proxy.close);
  return { root, proxy, connection: { ...connection, port: proxy.port } };
}

async function start() {
  const { connection, root, proxy } = await prepare();
  const database = createDatabase({ connection, entities: [] });
  await database.open();
  // Closing fails while a connection is being made that will not be: not what these tests are
  // about.
  onTestFinished(() => database.close());
  return { root, proxy, database };
}

async function expectUnavailable(work: Promise<unknown>): Promise<void> {
  const begin = performance.now();
  await expect(work).rejects.toThrow(UnavailableError);
  expect(performance.now() - begin).toBeLessThan(limitMs);
}

test('a database is unavailable before it was opened', async () => {
  const { connection } = await prepare();
  const database = createDatabase({ connection, entities: [] });
  await expect(database.read(ask)).rejects.toThrow(
    new UnavailableError('The database is not connected yet.'),
  );
});

const faults: Fault[] = [{ kind: 'cut' }, { kind: 'reset' }, { kind: 'half-open', drop: 'both' }];
test.each(faults)(
  'a database reports within 2 s that connections are $kind, and recovers by itself',
  async (fault) => {
    const { proxy, database } = await start();
    await database.read(ask);
    proxy.set(fault);
    await expectUnavailable(database.read(ask));
    await expectUnavailable(database.transaction(ask));
    const crowd = Array.from({ length: 50 }, () => expectUnavailable(database.read(ask)));
    await Promise.all(crowd);
    proxy.set({ kind: 'none' });
    // Connections that were being made meanwhile hold their places in the pool until they time out.
    const askAll = () => Promise.all(Array.from({ length: 50 }, () => database.read(ask)));
    await expect.poll(async () => (await askAll()).length, { timeout: 10_000 }).toBe(50);
    expect(await database.transaction(ask)).toEqual([{ answer: 'yes' }]);
  },
);

test('opening fails while the server is away and can be tried again', async () => {
  const { connection, proxy } = await prepare();
  proxy.set({ kind: 'cut' });
  const database = createDatabase({ connection, entities: [] });
  onTestFinished(() => database.close());
  await expect(database.open()).rejects.toThrow('Connection lost');
  proxy.set({ kind: 'none' });
  await database.open();
  await database.open();
  expect(await database.read(ask)).toEqual([{ answer: 'yes' }]);
});

test('an exhausted pool answers in time, and loses no connection', async () => {
  const { database, proxy } = await start();
  const finish = Promise.withResolvers<void>();
  const holders = Array.from({ length: 10 }, () =>
    database.read(async (manager) => {
      await ask(manager);
      await finish.promise;
    }),
  );
  await expectUnavailable(Promise.race([database.read(ask), ...holders]));
  finish.resolve();
  await Promise.allSettled(holders);
  const again = await Promise.all(Array.from({ length: 30 }, () => database.read(ask)));
  expect(again).toHaveLength(30);
  expect(proxy.connections()).toBeLessThanOrEqual(10);
});

test('a statement that passes the deadline destroys its connection: the pool never hands it out again', async () => {
  const { database } = await start();
  const connectionId = (manager: EntityManager): Promise<{ id: string }[]> =>
    manager.query('SELECT CONNECTION_ID() AS id');
  const ids: unknown[] = [];
  await expectUnavailable(
    database.transaction(async (manager) => {
      ids.push(...(await connectionId(manager)));
      await manager.query('SELECT SLEEP(30)');
    }),
  );
  ids.push(...(await database.read(connectionId)));
  expect(new Set(ids.map((row) => JSON.stringify(row))).size).toBe(2);
});

test('a deadlock victim runs again, and both transactions commit', async () => {
  const { database, root } = await start();
  await root.query('CREATE TABLE pair (id INT PRIMARY KEY, count INT NOT NULL)');
  await root.query('INSERT INTO pair VALUES (1, 0), (2, 0)');
  const met = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  let tries = 0;
  const addOne = (manager: EntityManager, id: number) =>
    manager.query('UPDATE pair SET count = count + 1 WHERE id = ?', [id]);
  const both = (own: 0 | 1) =>
    database.transaction(async (manager) => {
      tries += 1;
      await addOne(manager, own + 1);
      met[own].resolve();
      await met[own === 0 ? 1 : 0].promise;
      await addOne(manager, own === 0 ? 2 : 1);
    });
  await Promise.all([both(0), both(1)]);
  expect(tries).toBeGreaterThan(2);
  const [rows] = await root.query('SELECT count FROM pair');
  expect(rows).toEqual([{ count: 2 }, { count: 2 }]);
});

test('a fault of the statement is no outage', async () => {
  const { database } = await start();
  await expect(database.read((manager) => manager.query('SELECT nothing'))).rejects.toThrow(
    "Unknown column 'nothing'",
  );
});

test('open names the settings that break the guarantee', async () => {
  const { database } = await start();
  await database.read(async (manager) => {
    await assertServerSettings(manager);
    await manager.query("SET SESSION transaction_isolation = 'REPEATABLE-READ'");
    const message = 'transaction_isolation is REPEATABLE-READ, must be READ-COMMITTED';
    await expect(assertServerSettings(manager)).rejects.toThrow(message);
    await expect(assertServerSettings(manager)).rejects.toThrow(ServerSettingsError);
    await manager.query("SET SESSION transaction_isolation = 'READ-COMMITTED'");
  });
});

test('a transaction runs READ COMMITTED, whatever the session says, and waits for locks as long as it was told', async () => {
  const { connection, root } = await prepare();
  const database = createDatabase({ connection, entities: [], lockWaitSeconds: 1 });
  await database.open();
  onTestFinished(() => database.close());
  await root.query('CREATE TABLE thing (id CHAR(36) PRIMARY KEY)');
  await database.read((manager) =>
    manager.query("SET SESSION transaction_isolation = 'REPEATABLE-READ'"),
  );
  const count = (manager: EntityManager): Promise<unknown> =>
    manager.query('SELECT COUNT(*) AS things FROM thing');
  const seen = await database.transaction(async (manager) => {
    const before = await count(manager);
    await root.query("INSERT INTO thing VALUES ('committed meanwhile')");
    return [before, await count(manager)];
  });
  expect(seen).toEqual([[{ things: '0' }], [{ things: '1' }]]);
  const read = 'SELECT @@session.innodb_lock_wait_timeout AS seconds';
  expect(await database.read((manager) => manager.query(read))).toEqual([{ seconds: '1' }]);
});

const otherValues: Readonly<Record<keyof typeof pinnedVariables, string>> = {
  sql_mode: "'NO_BACKSLASH_ESCAPES'",
  character_set_client: "'latin1'",
  character_set_connection: "'latin1'",
  character_set_results: "'latin1'",
  collation_connection: "'utf8mb4_bin'",
  time_zone: "'+09:00'",
  autocommit: 'OFF',
  completion_type: "'CHAIN'",
  transaction_isolation: "'SERIALIZABLE'",
  transaction_read_only: 'ON',
  sql_select_limit: '1000000',
  sql_safe_updates: 'ON',
  sql_big_selects: 'OFF',
  sql_auto_is_null: 'ON',
  max_execution_time: '60000',
  unique_checks: 'OFF',
  default_storage_engine: "'MyISAM'",
  sql_log_bin: 'OFF',
};

test('every variable of a session that matters is pinned by the pool, and one that is not is named at the start', async () => {
  const { connection } = await prepare();
  const database = createDatabase({ connection, entities: [] });
  onTestFinished(() => database.close());
  await database.open();
  expect(Object.keys(otherValues)).toEqual([...Object.keys(pinnedVariables), 'sql_log_bin']);
  for (const [name, value] of Object.entries(otherValues))
    await database.read(async (manager) => {
      await assertServerSettings(manager);
      await manager.query(`SET SESSION ${name} = ${value}`);
      await expect(assertServerSettings(manager)).rejects.toThrow(`${name} is `);
      await manager.query(`${pinSession()}, sql_log_bin = ON`);
    });
});

test('a connection that cannot be pinned is not used, and says why', async () => {
  const { connection } = await prepare();
  const dataSource = new DataSource(connectionOptions(connection, { lockWaitSeconds: NaN }));
  onTestFinished(() => (dataSource.isInitialized ? dataSource.destroy() : undefined));
  await expect(dataSource.initialize()).rejects.toThrow('Incorrect argument type to variable');
});

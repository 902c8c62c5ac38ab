import { randomUUID } from 'node:crypto';
import {
  connectApi,
  findBlockingIncident,
  findOpenIncident,
  registerConnector,
  waitUntilShipped,
  type ConnectorDefinition,
  type RunSql,
} from '@board/relay';
import { openSession } from '@board/mysql';
import { createHealth, createLogger } from '@board/service';
import { waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startOwnMysql, type OwnMysql } from '../../../stack/test/support/start-own-mysql.ts';
import { openRelayLab, type RelayLab } from './support/open-relay-lab.ts';
import { watchRelay } from '../src/application/watch-relay.ts';

const stack = inject('stack');
const connect = connectApi(stack.connectUrl);

let mysql: OwnMysql;
let lab: RelayLab;
let definition: ConnectorDefinition;
beforeAll(async () => {
  // Its GTIDs are reset here, which on the shared server would break every other connector.
  mysql = await startOwnMysql();
  lab = await openRelayLab(stack, { mysql });
  definition = {
    ...lab.outbox.definition,
    'database.hostname': mysql.host,
    'database.port': String(mysql.port),
    'database.user': 'root',
    'database.password': mysql.rootPassword,
  };
  await registerConnector({ ...stack, definition });
}, 120_000);
afterAll(async () => {
  await lab.close();
  await mysql.stop();
}, 60_000);

async function withSql<Result>(work: (sql: RunSql) => Promise<Result>): Promise<Result> {
  const { host, port, rootPassword: password } = mysql;
  const session = await openSession({
    host,
    port,
    name: lab.outbox.database,
    user: 'root',
    password,
  });
  try {
    return await work(session.query);
  } finally {
    await session.close();
  }
}

async function insert(): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await lab.outbox.insert({
    ...row,
    payload: Buffer.from(id),
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  return id;
}

const fence = (asker: 'audit' | 'purge', timeoutMs: number) =>
  withSql((sql) =>
    waitUntilShipped({
      connect,
      mysql: sql,
      connector: definition.name,
      timeoutMs,
      blockedBy: findBlockingIncident(lab.memory, asker),
    }),
  );

function startWatching() {
  const { alarms } = createHealth();
  let incidents = 0;
  const job = watchRelay({
    connect,
    connector: definition.name,
    memory: lab.memory,
    withSql,
    everyMs: 500,
    alarms,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: {
      observed: () => undefined,
      restarted: () => undefined,
      incidentOpened: () => (incidents += 1),
    },
    countShipped: async () => undefined,
    now: () => new Date(),
    elapsedMs: () => performance.now(),
  });
  const observeUntil = <Answer>(what: string, ask: () => Promise<Answer | undefined | false>) =>
    waitUntil(
      what,
      async () => {
        await job.run(new AbortController().signal);
        return ask();
      },
      { everyMs: 200, timeoutMs: 60_000 },
    );
  return { alarms, observeUntil, incidents: () => incidents };
}

const incident = async () => findOpenIncident((await lab.memory.read()) ?? {});

it('a reset of GTIDs blocks the fence until a rebuild, and raises an alarm until a closure', async () => {
  await Promise.all(Array.from({ length: 20 }, insert));
  const first = startWatching();
  await first.observeUntil(
    'a position',
    async () => ((await lab.memory.read())?.seen?.relayed ?? '') !== '',
  );
  expect(await fence('purge', 15_000)).toEqual({ kind: 'passed' });
  expect(first.alarms.active().size).toBe(0);

  // A connector that is deleted keeps its position.
  await connect.remove(definition.name);
  await first.observeUntil(
    'no connector',
    async () => (await connect.getOffsets(definition.name)) === undefined,
  );
  await registerConnector({ ...stack, definition });
  await first.observeUntil(
    'the connector again',
    async () => (await connect.getOffsets(definition.name)) !== undefined,
  );
  expect(await incident()).toBeUndefined();

  await withSql((sql) => sql('RESET BINARY LOGS AND GTIDS'));
  await insert();
  // Another process, which knows only what the first one has written.
  const { alarms, observeUntil, incidents } = startWatching();
  await observeUntil('an alarm', async () => alarms.active().has('position'));
  expect(alarms.active().get('position')?.reason).toMatch(/GTIDs were reset.*npm run audit/);
  const red = { kind: 'cannot-tell', reason: expect.stringContaining('GTIDs were reset') };
  expect(await fence('purge', 0)).toEqual(red);
  expect(await incident()).toMatchObject({ fence: 'blocked' });
  expect(await fence('audit', 0)).toEqual(red);

  // As the runbook says.
  await connect.stop(definition.name);
  await waitUntil('the position is deleted', async () => {
    await connect.deleteOffsets(definition.name);
    return true;
  });
  await observeUntil('a fence that is open', async () => (await incident())?.fence === 'open');
  await registerConnector({ ...stack, definition });
  const last = await insert();
  expect(await fence('audit', 30_000)).toEqual({ kind: 'passed' });
  await lab.outbox.readShipped((records) => records.some(({ headers }) => headers['id'] === last));
  expect(await fence('purge', 0)).toEqual(red);
  await observeUntil('still red', async () => alarms.active().has('position'));
  expect(incidents()).toBe(2);

  const open = await incident();
  const closure = {
    suspicion: open?.id ?? '',
    at: new Date().toISOString(),
    by: 'audit',
    reason: 'clean',
  } as const;
  await lab.memory.remember({ closure });
  await observeUntil('quiet', async () => !alarms.active().has('position'));
  expect(await fence('purge', 15_000)).toEqual({ kind: 'passed' });
}, 120_000);

import { randomUUID } from 'node:crypto';
import {
  connectApi,
  connectorTopics,
  openSchemaHistory,
  rebuildPosition,
  registerConnector,
  relayMemory,
  type ConnectorDefinition,
  type RunSql,
} from '@board/relay';
import { openSession, type Session } from '@board/mysql';
import { connectKafka, openAdmin, openCompactedTopic } from '@board/kafka';
import { createHealth, createLogger } from '@board/service';
import { waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import {
  openTemporaryOutbox,
  type TemporaryOutbox,
} from '../../../packages/relay/test/support/open-temporary-outbox.ts';
import { openMemoryTopic } from '../../../packages/relay/test/support/open-memory-topic.ts';
import { guardColumns } from '../src/application/guard-columns.ts';
import { watchRelay } from '../src/application/watch-relay.ts';

const stack = inject('stack');
const connect = connectApi(stack.connectUrl);
const logger = createLogger({ name: 'test', level: 'silent' });
const incidents: string[] = [];

let outbox: TemporaryOutbox;
let definition: ConnectorDefinition;
let session: Session;
let memoryTopic: Awaited<ReturnType<typeof openMemoryTopic>>;
let { alarms, check } = { alarms: createHealth().alarms, check: () => Promise.resolve() };
beforeAll(async () => {
  outbox = await openTemporaryOutbox(stack);
  // The connector hears of a statement only if it names the outbox: what happens to the table under
  // another name it does not see.
  definition = {
    ...outbox.definition,
    'internal.schema.history.internal.ddl.filter': '(?!.*\\boutbox\\b).*',
  };
  const { host, port, rootPassword: password } = stack.mysql;
  session = await openSession({ host, port, name: outbox.database, user: 'root', password });
  memoryTopic = await openMemoryTopic(stack);
  startGuard();
  await registerConnector({ ...stack, definition });
}, 120_000);
afterAll(async () => {
  await session.close();
  await memoryTopic.close();
  await outbox.close();
});

/** As a keeper that knows only what an earlier one has written. */
function startGuard(): void {
  ({ alarms } = createHealth());
  const kafka = connectKafka(stack, 'test');
  const relay = {
    connect,
    connector: definition.name,
    withSql: (work: (sql: RunSql) => Promise<unknown>) => work(session.query) as never,
    everyMs: 100,
    alarms,
    logger,
    elapsedMs: () => performance.now(),
  };
  const { hold, isHeld } = watchRelay({
    ...relay,
    memory: relayMemory(openCompactedTopic(kafka, memoryTopic.name), definition.name),
    metrics: {
      observed: () => undefined,
      restarted: () => undefined,
      incidentOpened: () => undefined,
    },
    countShipped: async () => undefined,
    now: () => new Date(),
  });
  const job = guardColumns({
    ...relay,
    openHistory: (topic, tableId) =>
      openSchemaHistory(kafka, { topic, tableId, readerPrefix: 'test-reader.' }),
    async hold(reason) {
      incidents.push(reason);
      await hold(reason);
    },
    isHeld,
    patienceMs: 1_500,
  });
  check = () => job.run(new AbortController().signal);
}

async function insert(): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await outbox.insert({
    ...row,
    payload: Buffer.from(id),
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  return id;
}

const arrives = (id: string) =>
  outbox.readShipped((records) => records.some(({ headers }) => headers['id'] === id));
const checkUntil = (what: string, isSo: () => boolean | Promise<boolean>) =>
  waitUntil(
    what,
    async () => {
      await check();
      return isSo();
    },
    { everyMs: 300, timeoutMs: 60_000 },
  );
const stateOf = async () => (await connect.getStatus(definition.name))?.connector.state;
const reason = () => alarms.active().get('outbox columns')?.reason;

/** Long enough for a difference to become an incident, were it one. */
async function checkForLong(): Promise<void> {
  const until = performance.now() + 4_000;
  await checkUntil('four seconds', () => performance.now() > until);
}

it('the job raises no alarm while the connector follows every change of the outbox', async () => {
  await arrives(await insert());
  await session.query('ALTER TABLE outbox ADD COLUMN note VARCHAR(10) NULL');
  await arrives(await insert());
  await session.query('ALTER TABLE outbox MODIFY COLUMN note VARCHAR(20) NULL AFTER id');
  await checkForLong();
  await session.query('ALTER TABLE outbox DROP COLUMN note');
  await checkForLong();
  expect([reason(), incidents, await stateOf()]).toEqual([undefined, [], 'RUNNING']);
}, 60_000);

it('the job stops a connector that has the columns wrong until its position is rebuilt', async () => {
  await session.query('RENAME TABLE outbox TO aside');
  await session.query('ALTER TABLE aside MODIFY COLUMN traceparent CHAR(55) NULL AFTER type');
  await session.query('RENAME TABLE aside TO outbox');
  await checkUntil('an alarm', () => reason() !== undefined);
  expect(reason()).toMatch(
    /column 8 is traceparent, for the connector payload; column 9 is payload, for the connector traceparent\. .*redrive/,
  );
  expect(incidents).toEqual([expect.stringContaining('wrong columns')]);
  await waitUntil('stopped', async () => (await stateOf()) === 'STOPPED');
  // Waits, and is not shipped under wrong names.
  const waiting = await insert();

  // A keeper that has started since, and its alarms, know no less.
  startGuard();
  await check();
  expect(reason()).toMatch(/column 8 is traceparent.*was stopped; do not resume it.*redrive/);
  // A deploy and a start of the stack leave it as it is, though they may change its configuration.
  const lines: string[] = [];
  const changed = { ...definition, 'poll.interval.ms': '20' };
  const registering = (again: ConnectorDefinition) =>
    registerConnector({
      ...stack,
      definition: again,
      memoryTopic: memoryTopic.name,
      onProgress: (line) => lines.push(line),
    });
  expect([await registering(changed), await registering(definition)]).toEqual(['held', 'held']);
  expect(lines.at(-1)).toMatch(
    /stays STOPPED, the keeper has stopped it: .*wrong columns.*redrive/,
  );
  await waitUntil('still stopped', async () => (await stateOf()) === 'STOPPED');

  // Resumed as it is, it is stopped again with a new incident, which no audit of the time between
  // has closed.
  await connect.resume(definition.name);
  await waitUntil('it runs', async () => (await stateOf()) === 'RUNNING');
  await checkUntil('stopped again', async () => (await stateOf()) === 'STOPPED');
  expect(incidents).toHaveLength(2);

  await rebuildPosition(connect, definition.name);
  await arrives(waiting);
  await checkUntil('quiet', () => reason() === undefined);
  expect(await stateOf()).toBe('RUNNING');
}, 120_000);

it('the job lets a connector run whose schema history was emptied, and reports it', async () => {
  const topic = connectorTopics(definition).schemaHistory;
  const admin = await openAdmin(stack);
  const [end] = await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({
    topic,
    partitions: [{ partition: 0, offset: end?.high ?? '' }],
  });
  await admin.disconnect();
  await checkUntil('an alarm', () => reason()?.includes('does not hold the outbox') === true);
  await arrives(await insert());
  expect(incidents).toHaveLength(2);
}, 60_000);

it('the job reports a skip that was killed in its middle until its settings are taken back', async () => {
  const skipping = () => alarms.active().get('skipped statements')?.reason;
  await connect.putConfig({
    ...definition,
    'schema.history.internal.skip.unparseable.ddl': 'true',
  });
  await check();
  expect(skipping()).toBeUndefined();
  await check();
  expect(skipping()).toMatch(/connector -- register/);

  const filter = definition['internal.schema.history.internal.ddl.filter'] ?? '';
  await connect.putConfig({
    ...definition,
    'internal.schema.history.internal.ddl.filter': `${filter},CREATE TABLE url`,
  });
  await check();
  expect(skipping()).toBeDefined();

  await connect.putConfig(definition);
  await check();
  expect(skipping()).toBeUndefined();
}, 60_000);

import { randomUUID } from 'node:crypto';
import {
  connectApi,
  connectorTopics,
  openSchemaHistory,
  rebuildPosition,
  registerConnector,
  type ConnectorDefinition,
  type RunSql,
} from '@board/connectors';
import { openSession, type Session } from '@board/database-kit';
import { connectKafka, openAdmin } from '@board/kafka-kit';
import { createHealth, createLogger } from '@board/service-kit';
import { waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openTemporaryOutbox, type TemporaryOutbox } from '../../../../connectors/testing/open-temporary-outbox.ts';
import { guardShape } from './guard-shape.ts';

const stack = inject('stack');
const connect = connectApi(stack.connectUrl);
const { alarms } = createHealth();
const suspicions: string[] = [];

let outbox: TemporaryOutbox;
let definition: ConnectorDefinition;
let session: Session;
let check: () => Promise<void>;
beforeAll(async () => {
  outbox = await openTemporaryOutbox(stack);
  // The connector hears of a statement only if it names the outbox: what happens to the table under another name it does not see.
  definition = { ...outbox.definition, 'internal.schema.history.internal.ddl.filter': '(?!.*\\boutbox\\b).*' };
  const { host, port, rootPassword: password } = stack.mysql;
  session = await openSession({ host, port, name: outbox.database, user: 'root', password });
  const job = guardShape({
    connect,
    connector: definition.name,
    openHistory: (topic, tableId) =>
      openSchemaHistory(connectKafka(stack, 'test'), { topic, tableId, readerPrefix: 'test-reader.' }),
    withSql: (work: (sql: RunSql) => Promise<unknown>) => work(session.query) as never,
    suspect: async (reason) => void suspicions.push(reason),
    everyMs: 100,
    patienceMs: 1_500,
    alarms,
    logger: createLogger({ name: 'test', level: 'silent' }),
    elapsedMs: () => performance.now(),
  });
  check = () => job.run(new AbortController().signal);
  await registerConnector({ ...stack, definition });
}, 120_000);
afterAll(async () => {
  await session.close();
  await outbox.close();
});

async function insert(): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await outbox.insert({ ...row, payload: Buffer.from(id), occurredAt: '2026-01-02 03:04:05.678901' });
  return id;
}

const arrives = (id: string) => outbox.readShipped((records) => records.some(({ headers }) => headers['id'] === id));
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

it('is quiet while the connector follows every change of the outbox', async () => {
  await arrives(await insert());
  await session.query('ALTER TABLE outbox ADD COLUMN note VARCHAR(10) NULL');
  await arrives(await insert());
  await session.query('ALTER TABLE outbox MODIFY COLUMN note VARCHAR(20) NULL AFTER id');
  await checkForLong();
  await session.query('ALTER TABLE outbox DROP COLUMN note');
  await checkForLong();
  expect([reason(), suspicions, await stateOf()]).toEqual([undefined, [], 'RUNNING']);
}, 60_000);

it('stops a connector that takes the columns for others than they are, until its position is rebuilt', async () => {
  await session.query('RENAME TABLE outbox TO aside');
  await session.query('ALTER TABLE aside MODIFY COLUMN traceparent CHAR(55) NULL AFTER type');
  await session.query('RENAME TABLE aside TO outbox');
  await checkUntil('an alarm', () => reason() !== undefined);
  expect(reason()).toMatch(
    /column 8 is traceparent, for the connector payload; column 9 is payload, for the connector traceparent\. .*redrive/,
  );
  expect(suspicions).toEqual([expect.stringContaining('wrong columns')]);
  await waitUntil('stopped', async () => (await stateOf()) === 'STOPPED');
  // Waits, and is not shipped under wrong names.
  const waiting = await insert();

  // Resumed as it is, it is stopped again; that is no second incident.
  await connect.resume(definition.name);
  await checkUntil('stopped again', async () => (await stateOf()) === 'STOPPED');
  expect(suspicions).toHaveLength(1);

  await rebuildPosition(connect, definition.name);
  await arrives(waiting);
  await checkUntil('quiet', () => reason() === undefined);
  expect(await stateOf()).toBe('RUNNING');
}, 120_000);

it('says that a connector whose schema history was emptied cannot start again, and lets it run', async () => {
  const topic = connectorTopics(definition).schemaHistory;
  const admin = await openAdmin(stack);
  const [end] = await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: end?.high ?? '' }] });
  await admin.disconnect();
  await checkUntil('an alarm', () => reason()?.includes('does not hold the outbox') === true);
  await arrives(await insert());
  expect(suspicions).toHaveLength(1);
}, 60_000);

it('says that a statement is still passed over, as after a skip that was killed in its middle, until that is taken back', async () => {
  const skipping = () => alarms.active().get('skipped statements')?.reason;
  await connect.putConfig({ ...definition, 'schema.history.internal.skip.unparseable.ddl': 'true' });
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

import { randomUUID } from 'node:crypto';
import {
  connectApi,
  connectorTopics,
  eventTopic,
  classifyStatus,
  registerConnector,
} from '@board/relay';
import { openAdmin } from '@board/kafka';
import { createHealth, createLogger } from '@board/service';
import { waitUntil } from '@board/test';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import {
  openTemporaryOutbox,
  type TemporaryOutbox,
} from '../../../packages/relay/test/support/open-temporary-outbox.ts';
import { healConnector } from '../src/application/heal-connector.ts';

const stack = inject('stack');
const topicResource = 2;

let outbox: TemporaryOutbox;
let admin: Awaited<ReturnType<typeof openAdmin>>;
beforeEach(async () => {
  outbox = await openTemporaryOutbox(stack);
  admin = await openAdmin(stack);
  await registerConnector({ ...stack, definition: outbox.definition });
});
afterEach(async () => {
  await admin.disconnect();
  await outbox.close();
});

async function insert(bytes = 10): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await outbox.insert({
    ...row,
    payload: Buffer.alloc(bytes),
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  return id;
}

const arrives = (id: string) =>
  outbox.readShipped((records) => records.some(({ headers }) => headers['id'] === id));

function startHealing() {
  const { alarms } = createHealth();
  let restarts = 0;
  let laterMs = 0;
  const job = healConnector({
    connect: connectApi(stack.connectUrl),
    connector: outbox.definition.name,
    everyMs: 100,
    alarms,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: { connector: () => undefined, restarted: () => (restarts += 1) },
    now: () => Date.now() + laterMs,
    settings: { firstWaitMs: 500, maxWaitMs: 1_000, healthyAfterMs: 60_000, graceMs: 30_000 },
  });
  const keepUntil = (what: string, isSo: () => boolean) =>
    waitUntil(
      what,
      async () => {
        await job.run(new AbortController().signal);
        return isSo();
      },
      { everyMs: 100, timeoutMs: 60_000 },
    );
  /** Keeps at it until the row has arrived. */
  async function healUntil(id: string): Promise<void> {
    const healed = new AbortController();
    const healing = keepUntil('healed', () => healed.signal.aborted);
    try {
      await arrives(id);
    } finally {
      healed.abort();
      await healing;
    }
  }
  return {
    alarms,
    keepUntil,
    healUntil,
    restarts: () => restarts,
    wait: (ms: number) => (laterMs += ms),
  };
}

it('the job restarts a FAILED task, and the alarm stays until the cause is gone', async () => {
  const allow = (bytes: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: topicResource,
          name: eventTopic(outbox.definition, 'board'),
          configEntries: [{ name: 'max.message.bytes', value: bytes }],
        },
      ],
    });
  await arrives(await insert());
  const { alarms, keepUntil, healUntil, restarts, wait } = startHealing();

  // The topic refuses the record, so the producer and with it the task fail, again and again.
  await allow('2000');
  let refused = '';
  const connect = connectApi(stack.connectUrl);
  const hasFailed = async () =>
    classifyStatus(await connect.getStatus(outbox.definition.name)).kind === 'failed';
  // A broker may learn of the new limit after it has stored a row: then the next one is refused.
  await waitUntil('a row is refused', async () => {
    refused = await insert(20_000);
    return waitUntil('the task fails', hasFailed, { timeoutMs: 5_000 }).catch(() => false);
  });
  await keepUntil('an alarm', () => alarms.active().has('connector'));
  expect(alarms.active().get('connector')?.reason).toMatch(
    /failed again after .* restarts?: .*RecordTooLarge/,
  );
  expect(restarts()).toBeGreaterThan(0);

  await allow('1048576');
  // One of the next restarts finds the cause gone.
  await healUntil(refused);
  // A connector that runs again is reported until it has run for a minute.
  await keepUntil('it runs', () => /lately/.test(alarms.active().get('connector')?.reason ?? ''));
  wait(60_000);
  await keepUntil('quiet', () => !alarms.active().has('connector'));
}, 120_000);

it.each([
  [
    'emptied',
    async (topic: string) => {
      const [end] = await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({
        topic,
        partitions: [{ partition: 0, offset: end?.high ?? '' }],
      });
    },
  ],
  ['deleted', (topic: string) => admin.deleteTopics({ topics: [topic] })],
])(
  'the job rebuilds the position of a connector whose schema history was %s, and no row is lost',
  async (_what, lose) => {
    const connect = connectApi(stack.connectUrl);
    const { name } = outbox.definition;
    const shipped = await insert();
    await arrives(shipped);
    await lose(connectorTopics(outbox.definition).schemaHistory);
    // It goes on with what it knows until it has to start again.
    await arrives(await insert());
    await connect.restart(name);
    const failed = await waitUntil('FAILED', async () =>
      (await connect.getStatus(name))?.tasks.find(({ trace }) => trace),
    );
    expect(failed.trace).toContain('db history topic is missing');

    const waiting = await insert();
    const { alarms, healUntil } = startHealing();
    await healUntil(waiting);
    await arrives(await insert());
    const copies = (await outbox.readShipped(() => true)).filter(
      ({ headers }) => headers['id'] === shipped,
    );
    expect(copies.length).toBe(2);
    expect(alarms.active().get('connector')?.reason).toMatch(/restarted 2 times lately/);
    // And it can start again.
    await connect.restart(name);
    await arrives(await insert());
  },
  120_000,
);

it('the job rebuilds a position whose schema history lacks a column, and the row is shipped', async () => {
  const connect = connectApi(stack.connectUrl);
  await arrives(await insert());
  await outbox.query('SET SESSION sql_log_bin = 0');
  await outbox.query('ALTER TABLE outbox ADD COLUMN note VARCHAR(10) NULL');
  await outbox.query('SET SESSION sql_log_bin = 1');
  const waiting = await insert();
  const failed = await waitUntil('FAILED', async () =>
    (await connect.getStatus(outbox.definition.name))?.tasks.find(({ trace }) => trace),
  );
  expect(failed.trace).toMatch(/internal schema size \d+, but row size \d+/);
  const { healUntil } = startHealing();
  await healUntil(waiting);
}, 120_000);

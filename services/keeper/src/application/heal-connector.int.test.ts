import { randomUUID } from 'node:crypto';
import { connectApi, connectorTopics, registerConnector } from '@board/connectors';
import { openAdmin } from '@board/kafka-kit';
import { createHealth, createLogger } from '@board/service-kit';
import { waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { openTemporaryOutbox } from '../../../../connectors/testing/open-temporary-outbox.ts';
import { healConnector } from './heal-connector.ts';

const stack = inject('stack');
const topicResource = 2;

it('restarts a task that has FAILED, says so while that does not help, and is quiet once the cause is gone', async () => {
  const outbox = await openTemporaryOutbox(stack);
  onTestFinished(outbox.close);
  const { definition } = outbox;
  const admin = await openAdmin(stack);
  onTestFinished(() => admin.disconnect());
  const allow = (bytes: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: topicResource,
          name: connectorTopics(definition).events,
          configEntries: [{ name: 'max.message.bytes', value: bytes }],
        },
      ],
    });
  const insert = async (bytes: number): Promise<string> => {
    const id = randomUUID();
    const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
    await outbox.insert({ ...row, payload: Buffer.alloc(bytes), occurredAt: '2026-01-02 03:04:05.678901' });
    return id;
  };
  await registerConnector({ ...stack, definition });
  const first = await insert(10);
  await outbox.readShipped((records) => records.some(({ headers }) => headers['id'] === first));

  const { alarms } = createHealth();
  let restarts = 0;
  let laterMs = 0;
  const job = healConnector({
    connect: connectApi(stack.connectUrl),
    connector: definition.name,
    everyMs: 100,
    alarms,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics: { connector: () => undefined, restarted: () => (restarts += 1) },
    now: () => Date.now() + laterMs,
    settings: { firstWaitMs: 500, maxWaitMs: 1_000, calmMs: 60_000, graceMs: 30_000 },
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

  // The topic refuses the record, so the producer and with it the task fail, again and again.
  await allow('2000');
  const refused = await insert(20_000);
  await keepUntil('an alarm', () => alarms.active().has('connector'));
  expect(alarms.active().get('connector')?.reason).toMatch(/failed again after .* restarts?: .*RecordTooLarge/);
  expect(restarts).toBeGreaterThan(0);

  await allow('1048576');
  const isShipped = (records: readonly { headers: Readonly<Record<string, string | undefined>> }[]): boolean =>
    records.some(({ headers }) => headers['id'] === refused);
  // One of the next restarts finds the cause gone.
  const healed = new AbortController();
  const healing = keepUntil('healed', () => healed.signal.aborted);
  await outbox.readShipped(isShipped);
  healed.abort();
  await healing;
  // It has run for a minute.
  await keepUntil('it runs', () => /lately/.test(alarms.active().get('connector')?.reason ?? ''));
  laterMs = 60_000;
  await keepUntil('quiet', () => !alarms.active().has('connector'));
}, 120_000);

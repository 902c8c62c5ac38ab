import { randomUUID } from 'node:crypto';
import { connectApi, eventTopic, describeConnector, registerConnector } from '@board/relay';
import { openAdmin } from '@board/kafka';
import { startTcpProxy, waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import {
  openTemporaryOutbox,
  type TemporaryOutbox,
} from '../../packages/relay/test/support/open-temporary-outbox.ts';

const stack = inject('stack');
const topicResource = 2;

async function openRelay(config: Readonly<Record<string, string>> = {}) {
  const outbox = await openTemporaryOutbox(stack);
  onTestFinished(outbox.close);
  const proxy = await startTcpProxy(stack.mysql);
  onTestFinished(proxy.close);
  const address = { 'database.hostname': proxy.host, 'database.port': String(proxy.port) };
  await registerConnector({
    ...stack,
    definition: { ...outbox.definition, ...address, ...config },
  });
  return { outbox, proxy };
}

async function insert(outbox: TemporaryOutbox, bytes = 10): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await outbox.insert({
    ...row,
    payload: Buffer.alloc(bytes),
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  return id;
}

async function arrived(outbox: TemporaryOutbox, ids: readonly string[]): Promise<void> {
  await outbox.readShipped((records) => {
    const shipped = new Set(records.map(({ headers }) => headers['id']));
    return ids.every((id) => shipped.has(id));
  });
}

it('a connection that MySQL ends without an error, as one that is killed does, is made again within half a minute', async () => {
  const { outbox, proxy } = await openRelay();
  await arrived(outbox, [await insert(outbox)]);
  proxy.set({ kind: 'cut' });
  await waitUntil('it is gone', () => proxy.connections() === 0);
  proxy.set({ kind: 'none' });
  const cutAt = performance.now();
  const late = await insert(outbox);
  // The task says RUNNING all the while: no keeper would restart it.
  await waitUntil(
    'a connection',
    async () => {
      expect(
        await describeConnector(connectApi(stack.connectUrl), outbox.definition.name),
      ).toMatchObject({
        isRunning: true,
      });
      return proxy.connections() > 0;
    },
    { timeoutMs: 150_000, everyMs: 250 },
  );
  await arrived(outbox, [late]);
  expect(performance.now() - cutAt).toBeLessThan(30_000);
});

it('a connector that Kafka holds up for longer than it waits for MySQL to speak loses and skips no row', async () => {
  const { outbox } = await openRelay({
    'max.queue.size': '16',
    'max.batch.size': '8',
    'producer.override.buffer.memory': '1048576',
  });
  const ids = [await insert(outbox)];
  await arrived(outbox, ids);
  const admin = await openAdmin(stack);
  onTestFinished(() => admin.disconnect());
  const takeWith = (replicas: number) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: topicResource,
          name: eventTopic(outbox.definition, 'board'),
          configEntries: [{ name: 'min.insync.replicas', value: String(replicas) }],
        },
      ],
    });
  // More than there are: every write waits.
  await takeWith(4);
  const heldAt = performance.now();
  while (ids.length < 100) ids.push(await insert(outbox, 100_000));
  await waitUntil('three checks of the connection', () => performance.now() > heldAt + 35_000, {
    timeoutMs: 60_000,
    everyMs: 500,
  });
  await takeWith(2);
  await arrived(outbox, ids);
});

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '@board/test';
import { afterEach, beforeEach, inject, it } from 'vitest';
import { connectApi, registerConnector } from '../src/index.ts';
import { openTemporaryOutbox, type TemporaryOutbox } from './support/open-temporary-outbox.ts';

const stack = inject('stack');
const { connectUrl, brokers } = stack;
const api = connectApi(connectUrl);

let outbox: TemporaryOutbox;
beforeEach(async () => {
  outbox = await openTemporaryOutbox(stack);
});
afterEach(() => outbox.close());

async function insertRow(): Promise<string> {
  const id = randomUUID();
  await outbox.insert({
    id,
    aggregateId: id,
    version: 1,
    key: id,
    type: 'BoardCreated',
    payload: Buffer.from(id),
    traceparent: null,
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  return id;
}

/** About 500 rows a second, until told to stop. */
function keepInserting() {
  const stopping = new AbortController();
  const ids: string[] = [];
  const running = (async () => {
    while (!stopping.signal.aborted) {
      ids.push(await insertRow());
      await delay(1);
    }
  })();
  return {
    reach: (count: number) =>
      waitUntil(`${count} rows are inserted`, () => ids.length >= count, { timeoutMs: 60_000 }),
    stop: async () => {
      stopping.abort();
      await running;
      return ids;
    },
  };
}

async function deletePosition(name: string): Promise<void> {
  await api.stop(name);
  // Connect refuses until the last task has really ended.
  await waitUntil('the offsets are deleted', async () => {
    await api.deleteOffsets(name);
    return true;
  });
}

it(
  'a connector whose position was deleted under load loses no row',
  { timeout: 120_000 },
  async () => {
    const { definition } = outbox;
    await registerConnector({ connectUrl, brokers, definition });
    const load = keepInserting();
    await load.reach(500);
    await deletePosition(definition.name);
    await load.reach(1_000);
    await registerConnector({ connectUrl, brokers, definition });
    await load.reach(2_000);
    const ids = await load.stop();

    await outbox.readShipped((records) => {
      const arrived = new Set(records.map(({ headers }) => headers['id']));
      return ids.every((id) => arrived.has(id));
    });
  },
);

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { connectApi, registerConnector } from '../src/index.ts';
import {
  openTemporaryOutbox,
  type OutboxRow,
  type TemporaryOutbox,
} from './support/open-temporary-outbox.ts';

const stack = inject('stack');
const { connectUrl, brokers } = stack;

let outbox: TemporaryOutbox;
beforeEach(async () => {
  outbox = await openTemporaryOutbox(stack);
});
afterEach(() => outbox.close());

function row(changes: Partial<OutboxRow> = {}): OutboxRow {
  return {
    id: randomUUID(),
    aggregateId: randomUUID(),
    version: 1,
    key: '홍길동 🎉',
    type: 'BoardCreated',
    // No UTF-8, and a zero byte first, as in Confluent's wire format.
    payload: Buffer.from([0, 0, 0, 0, 1, 0xff, 0xfe, 0x0a]),
    traceparent: null,
    occurredAt: '2026-01-02 03:04:05.678901',
    ...changes,
  };
}

async function shipped(count: number) {
  const records = await outbox.readShipped((read) => read.length >= count);
  return records.map(({ key, value, headers }) => ({
    key,
    value: value?.toString('hex'),
    headers,
  }));
}

describe('an outbox row', () => {
  it('arrives with its key, bytes and headers, committed before or after the first start', async () => {
    const early = row({ version: 4_294_967_295 });
    const late = row({
      type: 'BoardEdited',
      key: 'another key',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    await outbox.insert(early);
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    await outbox.insert(late);

    const wanted = [early, late].map(
      ({ id, aggregateId, version, key, type, payload, traceparent }) => ({
        key,
        value: payload.toString('hex'),
        headers: {
          id,
          aggregateId,
          version: String(version),
          eventType: type,
          traceparent: traceparent ?? undefined,
          occurredAt: '1767323045678901',
        },
      }),
    );
    const records = await shipped(2);
    expect(records).toHaveLength(2);
    expect(records).toEqual(expect.arrayContaining(wanted));
  });

  it('is shipped although its own time lies nine hours in the future', async () => {
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    const ahead = new Date(Date.now() + 9 * 3_600_000)
      .toISOString()
      .replace('T', ' ')
      .replace('Z', '');
    const early = row({ occurredAt: ahead });
    await outbox.insert(early);
    expect((await shipped(1))[0]?.headers['id']).toBe(early.id);
  });

  it('is not shipped again when the purge deletes it', async () => {
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    const [first, marker] = [row(), row()];
    await outbox.insert(first);
    await outbox.query('DELETE FROM outbox');
    await outbox.insert(marker);
    expect((await shipped(2)).map(({ headers }) => headers['id'])).toEqual([first.id, marker.id]);
  });

  it('stops the task when it is updated', async () => {
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    await outbox.insert(row());
    await outbox.query('UPDATE outbox SET version = version + 1');
    const api = connectApi(connectUrl);
    await expect
      .poll(async () => (await api.getStatus(outbox.definition.name))?.tasks[0]?.state, {
        timeout: 20_000,
      })
      .toBe('FAILED');
  });
});

import { randomUUID } from 'node:crypto';
import { openSession, type Session } from '@board/mysql';
import { purgeOutbox, type PurgeOutcome } from '@board/outbox';
import { waitUntil } from '@board/test';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { connectApi, registerConnector, waitUntilOutboxShipped } from '../src/index.ts';
import { openTemporaryOutbox, type TemporaryOutbox } from './support/open-temporary-outbox.ts';
import { allReceived } from '@board/outbox/testing';

const stack = inject('stack');
const { connectUrl, brokers } = stack;
const connect = connectApi(connectUrl);

let outbox: TemporaryOutbox;
let session: Session;
beforeEach(async () => {
  outbox = await openTemporaryOutbox(stack);
  const { host, port, rootPassword: password } = stack.mysql;
  session = await openSession({ host, port, name: outbox.database, user: 'root', password });
  await registerConnector({ connectUrl, brokers, definition: outbox.definition });
});
afterEach(async () => {
  await session.close();
  await outbox.close();
});

/** A row that happened long ago, as the purge sees it. */
async function insertOldRow(into = outbox): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await into.insert({ ...row, payload: Buffer.from(id), occurredAt: '2026-01-02 03:04:05.678901' });
  return id;
}

const awaitShipped = (timeoutMs: number) =>
  waitUntilOutboxShipped({
    connect,
    mysql: session.query,
    connector: outbox.definition.name,
    timeoutMs,
  });

const purge = (timeoutMs: number): Promise<PurgeOutcome> =>
  purgeOutbox({
    session,
    findUnreceived: allReceived,
    awaitShipped: () => awaitShipped(timeoutMs),
    retentionMs: 3_600_000,
    signal: new AbortController().signal,
  });

async function left(): Promise<string[]> {
  return (await session.query<{ id: string }>('SELECT id FROM outbox')).map(({ id }) => id);
}

async function shippedIds(isComplete: (ids: readonly string[]) => boolean): Promise<string[]> {
  const idsOf = (
    records: readonly { headers: Readonly<Record<string, string | undefined>> }[],
  ): string[] => records.map(({ headers }) => headers['id'] ?? '');
  return idsOf(await outbox.readShipped((records) => isComplete(idsOf(records))));
}

it('deletes only rows that are in the topic while others write, and its deletes send no record', async () => {
  const ids: string[] = [];
  const stopping = new AbortController();
  const writing = (async () => {
    while (!stopping.signal.aborted) ids.push(await insertOldRow());
  })();
  let purged = 0;
  try {
    await waitUntil('rows', () => ids.length >= 300);
    for (let round = 1; round <= 3; round += 1) {
      const outcome = await purge(15_000);
      expect(outcome.kind).toBe('done');
      purged += outcome.rows;
      const inserted = [...ids];
      const kept = new Set(await left());
      const shipped = new Set(await shippedIds(() => true));
      expect(inserted.filter((id) => !kept.has(id) && !shipped.has(id))).toEqual([]);
    }
  } finally {
    stopping.abort();
    await writing;
  }
  expect(purged).toBeGreaterThanOrEqual(300);

  // The fence passes once more, now behind the deletes themselves.
  expect(await awaitShipped(15_000)).toEqual({ kind: 'passed' });
  expect((await shippedIds(() => true)).toSorted()).toEqual(ids.toSorted());
}, 90_000);

it.each(['stop', 'pause'] as const)(
  'refuses and deletes nothing after a %s of the connector, and goes on after a resume',
  async (hold) => {
    await connect[hold](outbox.definition.name);
    // A task that was told to pause may still ship for a moment, and then the purge is right to
    // delete.
    const ids = await waitUntil('a purge that refuses', async () => {
      const inserted = await Promise.all(Array.from({ length: 20 }, insertOldRow));
      const outcome = await purge(2_500);
      return (
        outcome.kind === 'refused' && outcome.reason.includes('has not come far enough') && inserted
      );
    });
    expect(await left()).toEqual(expect.arrayContaining(ids));
    await connect.resume(outbox.definition.name);
    expect((await purge(20_000)).kind).toBe('done');
    expect(await left()).toEqual([]);
    expect(await shippedIds((shipped) => ids.every((id) => shipped.includes(id)))).toEqual(
      expect.arrayContaining(ids),
    );
  },
  60_000,
);

it('refuses for the outbox of another database on the server, which no connector relays', async () => {
  const other = await openTemporaryOutbox(stack);
  try {
    await session.query(`USE ${other.database}`);
    const id = await insertOldRow(other);
    const [mine, others] = [`${outbox.database}.outbox`, `${other.database}.outbox`];
    const reason = `the connector ${outbox.definition.name} relays ${mine}, not ${others}`;
    expect(await purge(15_000)).toMatchObject({ kind: 'refused', rows: 0, reason });
    expect(await left()).toEqual([id]);
  } finally {
    await other.close();
  }
});

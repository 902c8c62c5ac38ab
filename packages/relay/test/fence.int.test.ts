import { randomUUID } from 'node:crypto';
import { openConnection, type DriverConnection } from '@board/mysql';
import { waitUntil } from '@board/test';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  connectApi,
  noteGtid,
  pushFence,
  registerConnector,
  waitForFence,
  type FenceWait,
  type RunSql,
} from '../src/index.ts';
import { openTemporaryOutbox, type TemporaryOutbox } from './support/open-temporary-outbox.ts';

const stack = inject('stack');
const { connectUrl, brokers } = stack;
const api = connectApi(connectUrl);

let outbox: TemporaryOutbox;
let audit: DriverConnection;
beforeEach(async () => {
  outbox = await openTemporaryOutbox(stack);
  const { host, port } = stack.mysql;
  audit = await openConnection({ host, port, user: 'audit', password: stack.passwords.audit });
});
afterEach(async () => {
  await audit.end();
  await outbox.close();
});

const mysql: RunSql = async (sql, values) =>
  (await audit.query(sql, [...(values ?? [])]))[0] as unknown[];

async function insertRow(): Promise<string> {
  const id = randomUUID();
  const row = { id, aggregateId: id, version: 1, key: id, type: 'BoardCreated', traceparent: null };
  await outbox.insert({
    ...row,
    payload: Buffer.from(id),
    occurredAt: '2026-01-02 03:04:05.678901',
  });
  return id;
}

const wait = (gtid: string, changes: Partial<FenceWait> = {}) =>
  waitForFence({
    connect: api,
    mysql,
    connector: outbox.definition.name,
    gtid,
    timeoutMs: 15_000,
    ...changes,
  });

describe('a fence', () => {
  it('passes only after what it fences is in the topic, on an idle server too', async () => {
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    for (let round = 1; round <= 3; round += 1) {
      const ids = await Promise.all(Array.from({ length: 20 }, insertRow));
      expect(await wait(await noteGtid(mysql))).toEqual({ kind: 'passed' });
      const shipped = new Set(
        (await outbox.readShipped(() => true)).map(({ headers }) => headers['id']),
      );
      expect(ids.filter((id) => !shipped.has(id))).toEqual([]);
    }
  });

  it('cannot tell while the connector is STOPPED, and passes once it runs again', async () => {
    await registerConnector({ connectUrl, brokers, definition: outbox.definition });
    await api.stop(outbox.definition.name);
    // A task that was told to stop may still ship for a moment.
    const gtid = await waitUntil('a fence that does not pass', async () => {
      await insertRow();
      const noted = await noteGtid(mysql);
      return (await wait(noted, { timeoutMs: 2_500 })).kind !== 'passed' && noted;
    });
    expect(await wait(gtid, { timeoutMs: 0 })).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining('has not come far enough'),
    });
    await api.resume(outbox.definition.name);
    expect(await wait(gtid)).toEqual({ kind: 'passed' });
  });

  it('cannot tell without a connector or without Connect', async () => {
    const gtid = await noteGtid(mysql);
    expect(await wait(gtid, { timeoutMs: 0 })).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining('not registered'),
    });
    const silent = connectApi('http://127.0.0.1:1');
    expect(await wait(gtid, { timeoutMs: 0, connect: silent })).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining('does not answer'),
    });
  });

  it('does not pass when the position does not move', async () => {
    const before = await noteGtid(mysql);
    const offset = { gtids: before };
    const connect = { getOffsets: () => Promise.resolve([{ partition: {}, offset }]) };
    const gtid = await noteGtid(mysql);
    expect(await wait(gtid, { connect, timeoutMs: 300 })).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining('has not come far enough'),
    });
  });
});

describe('a fence on an idle server', () => {
  it('pushes, because the offset stays one transaction behind', async () => {
    const gtid = await noteGtid(mysql);
    const uuid = gtid.slice(0, 36);
    let pushes = 0;
    const connect = {
      getOffsets: () =>
        Promise.resolve([{ partition: {}, offset: { gtids: pushes > 0 ? gtid : `${uuid}:1` } }]),
    };
    const push = async (sql: RunSql): Promise<void> => {
      await pushFence(sql);
      pushes += 1;
    };
    expect(await wait(gtid, { connect, push, timeoutMs: 3_000 })).toEqual({ kind: 'passed' });
  });
});

describe("a fence and MySQL's own arithmetic of sets", () => {
  const ask = async (gtid: string, offset: Record<string, string>) =>
    wait(gtid, {
      connect: { getOffsets: () => Promise.resolve([{ partition: {}, offset }]) },
      timeoutMs: 0,
      push: () => Promise.resolve(),
    });

  it('does not pass on an old, larger set after the GTIDs were reset', async () => {
    const executed = await noteGtid(mysql);
    const uuid = executed.slice(0, 36);
    // As after RESET BINARY LOGS AND GTIDS: what the server has now lies within what the connector
    // remembers.
    expect(await ask(`${uuid}:1-5`, { gtids: `${uuid}:1-999999999` })).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining('does not have'),
    });
    expect(await ask(`${uuid}:1-5`, { gtids: executed })).toEqual({ kind: 'passed' });
  });

  it('does not pass on the transactions of another server', async () => {
    const executed = await noteGtid(mysql);
    expect(await ask(executed, { gtids: `${executed},${randomUUID()}:1-5` })).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining('does not have'),
    });
  });

  it('does not pass while the offset is that of a snapshot', async () => {
    const executed = await noteGtid(mysql);
    expect(await ask(executed, { gtids: executed })).toEqual({ kind: 'passed' });
    expect(await ask(executed, { gtids: executed, snapshot: 'INITIAL' })).toEqual({
      kind: 'cannot-tell',
      reason: expect.stringContaining('snapshot'),
    });
  });
});

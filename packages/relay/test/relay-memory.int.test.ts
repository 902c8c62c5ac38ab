import { connectKafka, openCompactedTopic } from '@board/kafka';
import { uniqueName } from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import {
  findBlockingIncident,
  findOpenIncident,
  relayMemory,
  createIncident,
  waitForFence,
} from '../src/index.ts';
import { openMemoryTopic } from './support/open-memory-topic.ts';

const stack = inject('stack');
const kafka = connectKafka(stack, 'test-memory');

let topic: Awaited<ReturnType<typeof openMemoryTopic>>;
beforeAll(async () => {
  topic = await openMemoryTopic(stack);
});
afterAll(() => topic.close());

function memoryOf(connector: string) {
  return relayMemory(openCompactedTopic(kafka, topic.name), connector);
}

it('the memory of each connector is undefined without its topic, then empty, then as written', async () => {
  const nowhere = relayMemory(openCompactedTopic(kafka, uniqueName()), 'a');
  expect(await nowhere.read()).toBeUndefined();
  const [a, b] = [memoryOf('a'), memoryOf('b')];
  expect(await a.read()).toEqual({});
  const at = new Date(0).toISOString();
  await a.remember({ purged: { at, rows: 1, keys: 0 } });
  await b.remember({ purged: { at, rows: 7, keys: 7 } });
  const raised = createIncident({ reason: 'seen', fence: 'open' }, new Date(0));
  await a.remember({ purged: { at, rows: 2, keys: 3 }, incident: raised });
  expect(await a.read()).toEqual({ purged: { at, rows: 2, keys: 3 }, incident: raised });
  expect(await b.read()).toEqual({ purged: { at, rows: 7, keys: 7 } });
  await a.close();
  await b.close();
});

it('incidents and closures are stored under the names that earlier keepers know', async () => {
  const raw = openCompactedTopic(kafka, topic.name);
  const memory = memoryOf('stored');
  const incident = createIncident({ reason: 'seen', fence: 'blocked', held: true }, new Date(0));
  await raw.write('stored suspicion', JSON.stringify(incident));
  expect(await memory.read()).toEqual({ incident });
  const closure = {
    suspicion: incident.id,
    at: incident.at,
    by: 'audit',
    reason: 'clean',
  } as const;
  await memory.remember({ incident, closure });
  const keys = [...((await raw.read()) ?? new Map()).keys()].filter((key) =>
    key.startsWith('stored '),
  );
  expect(keys.toSorted()).toEqual(['stored settlement', 'stored suspicion']);
  await raw.write('stored settlement', JSON.stringify({ ...closure, reason: 'by hand' }));
  expect((await memory.read())?.closure?.reason).toBe('by hand');
  await memory.close();
  await raw.close();
});

it('every incident blocks the fence of the purge, and only a position from before a reset or a restore that of the audit', async () => {
  const memory = memoryOf('c');
  // A position that by itself proves everything.
  const mysql = () => Promise.resolve([{ reached: 1, known: 1 }]);
  const connect = {
    getOffsets: () => Promise.resolve([{ partition: {}, offset: { gtids: 'u:1' } }]),
  };
  const ask = (asker: 'audit' | 'purge') =>
    waitForFence({
      connect,
      mysql,
      connector: 'c',
      gtid: 'u:1',
      timeoutMs: 0,
      blockedBy: findBlockingIncident(memory, asker),
    });
  const passed = { kind: 'passed' };
  const cannotTell = { kind: 'cannot-tell', reason: expect.stringContaining('as planted') };

  const unwatched = {
    kind: 'cannot-tell',
    reason: expect.stringMatching(/^no keeper has observed .*start the keeper/),
  };
  expect([await ask('audit'), await ask('purge')]).toEqual([passed, unwatched]);
  const seenAgo = (ms: number) =>
    memory.remember({
      seen: {
        at: new Date(Date.now() - ms).toISOString(),
        serverUuid: 'u',
        executed: 'u:1',
        relayed: 'u:1',
        snapshot: false,
      },
    });
  await seenAgo(70_000);
  expect([await ask('audit'), await ask('purge')]).toEqual([passed, unwatched]);
  await seenAgo(-3_600_000);
  expect(await ask('purge')).toEqual(unwatched);
  await seenAgo(0);
  expect([await ask('audit'), await ask('purge')]).toEqual([passed, passed]);
  const blocked = createIncident({ reason: 'as planted', fence: 'blocked' }, new Date(0));
  await memory.remember({ incident: blocked });
  expect([await ask('audit'), await ask('purge')]).toEqual([cannotTell, cannotTell]);
  const open = createIncident({ reason: 'as planted', fence: 'open' }, new Date(0));
  await memory.remember({ incident: open });
  expect([await ask('audit'), await ask('purge')]).toEqual([passed, cannotTell]);
  const closure = { at: open.at, by: 'audit', reason: 'clean' } as const;
  await memory.remember({ closure: { ...closure, suspicion: blocked.id } });
  expect(await ask('purge')).toEqual(cannotTell);
  await memory.remember({ closure: { ...closure, suspicion: open.id } });
  expect(findOpenIncident((await memory.read()) ?? {})).toBeUndefined();
  expect(await ask('purge')).toEqual(passed);
  await memory.close();
});

it('the fence is blocked also by an incident that is opened while it waits', async () => {
  let asked = 0;
  const mysql = () => Promise.resolve([{ reached: 1, known: 1 }]);
  const connect = {
    getOffsets: () => Promise.resolve([{ partition: {}, offset: { gtids: 'u:1' } }]),
  };
  const later = () => Promise.resolve((asked += 1) === 1 ? undefined : 'reset');
  const wait = { connect, mysql, connector: 'c', gtid: 'u:1', timeoutMs: 0 };
  expect(await waitForFence({ ...wait, blockedBy: later })).toEqual({
    kind: 'cannot-tell',
    reason: 'reset',
  });
});

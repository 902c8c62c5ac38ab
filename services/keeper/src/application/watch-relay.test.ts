import { findOpenIncident, createIncident, type RelayMemory } from '@board/relay';
import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { stallSettings } from '../domain/decide-restart.ts';
import { watchRelay } from './watch-relay.ts';

/**
 * The job with this memory, which others write as well; undefined: its topic is missing.
 */
function watching(memory: RelayMemory | undefined) {
  let kept = memory;
  const remember = (part: RelayMemory): void => void (kept = { ...kept, ...part });
  const job = watchRelay({
    connect: {
      getOffsets: async () => [],
      getStatus: async () => undefined,
      restart: async () => undefined,
    },
    connector: 'board-outbox',
    memory: {
      read: async () => kept,
      remember: async (part) => remember(part),
      close: async () => undefined,
    },
    withSql: () => Promise.reject(new Error('MySQL is away')),
    everyMs: 1_000,
    alarms: createHealth().alarms,
    logger: createLogger({ name: 'keeper', level: 'silent' }),
    metrics: {
      observed: () => undefined,
      incidentOpened: () => undefined,
      restarted: () => undefined,
    },
    countShipped: async () => undefined,
    now: () => new Date(),
    elapsedMs: () => 0,
  });
  const close = (id: string): void =>
    remember({
      closure: { suspicion: id, at: new Date().toISOString(), by: 'audit', reason: 'clean' },
    });
  return { job, close, open: () => findOpenIncident(kept ?? {}) };
}

it('an audit that knows the open incident does not close one that was opened since', async () => {
  const before = createIncident({ reason: 'rebuilt', fence: 'blocked' }, new Date(0));
  const { job, close, open } = watching({ incident: before });
  await job.hold('wrong columns');
  expect(open()).toMatchObject({
    reason: 'rebuilt; then wrong columns',
    fence: 'blocked',
    held: true,
  });
  expect(open()?.at).not.toBe(before.at);
  close(before.id);
  expect(open()).toBeDefined();
});

it('a new incident does not repeat one that an audit has closed meanwhile', async () => {
  const before = createIncident({ reason: 'rebuilt', fence: 'blocked' }, new Date(0));
  const { job, close, open } = watching({ incident: before });
  await job.run(new AbortController().signal).catch(() => undefined);
  close(before.id);
  await job.hold('wrong columns');
  expect(open()).toMatchObject({ reason: 'wrong columns', fence: 'open' });
});

it('a keeper that starts later knows that the connector is held until the incident is closed', async () => {
  const held = createIncident({ reason: 'wrong columns', fence: 'open', held: true }, new Date(0));
  const { job, close } = watching({ incident: held });
  expect(await job.isHeld()).toBe(true);
  close(held.id);
  expect(await job.isHeld()).toBe(false);
});

it('the reason of an incident has each finding once and at most 601 characters', async () => {
  const { job, open } = watching({});
  await job.hold('a');
  for (let time = 0; time < 3; time += 1) await job.hold('wrong columns');
  expect(open()?.reason).toBe('a; then wrong columns');
  await job.hold('x'.repeat(700));
  expect(open()?.reason).toHaveLength(601);
});

it('hold fails when the topic of the memory is missing', async () => {
  await expect(watching(undefined).job.hold('wrong columns')).rejects.toThrow(
    'topic of the memory is missing',
  );
});

it.each([
  ['raises the alarm while no record arrives', 0n, 'takes a snapshot and has sent nothing'],
  ['raises no alarm while records arrive', 1n, undefined],
])('a snapshot whose position stands still %s', async (_what, perObservation, alarm) => {
  let [nowMs, records] = [0, 0n];
  const { alarms } = createHealth();
  const row = {
    serverUuid: 'a',
    executed: 'a:1',
    keepsHistory: 1,
    keepsPosition: 1,
    isKnownToServer: 1,
    behind: '',
  };
  const job = watchRelay({
    connect: {
      getOffsets: async () => [{ partition: {}, offset: { gtids: 'a:1', snapshot: 'INITIAL' } }],
      getStatus: async (name) => ({
        name,
        connector: { state: 'RUNNING', worker_id: 'w' },
        tasks: [{ id: 0, state: 'RUNNING', worker_id: 'w' }],
      }),
      restart: () => Promise.reject(new Error('a snapshot must not be restarted')),
    },
    connector: 'board-outbox',
    memory: {
      read: async () => ({}),
      remember: async () => undefined,
      close: async () => undefined,
    },
    withSql: (work) => work(async () => [row]),
    everyMs: 1_000,
    alarms,
    logger: createLogger({ name: 'keeper', level: 'silent' }),
    metrics: {
      observed: () => undefined,
      incidentOpened: () => undefined,
      restarted: () => undefined,
    },
    countShipped: async () => (records += perObservation),
    now: () => new Date(nowMs),
    elapsedMs: () => nowMs,
    stall: { ...stallSettings, snapshotAlarmAfterMs: 10_000, firstWaitMs: 1 },
  });
  for (; nowMs < 60_000; nowMs += 1_000) await job.run(new AbortController().signal);
  expect(alarms.active().get('relay stalled')?.reason).toEqual(
    alarm && expect.stringContaining(alarm),
  );
});

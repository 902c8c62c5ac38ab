import { setImmediate as turn } from 'node:timers/promises';
import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { purgeTables } from './purge-tables.ts';

function prepare() {
  const firstLook = Promise.withResolvers<void>();
  const stop = new AbortController();
  let sessions = 0;
  const job = purgeTables({
    firstLook: firstLook.promise,
    async withSession() {
      sessions += 1;
    },
    connect: { getOffsets: async () => undefined, getConfig: async () => undefined },
    connector: 'board-outbox',
    memory: {
      read: async () => undefined,
      remember: async () => undefined,
      close: async () => undefined,
    },
    findUnreceived: () => async () => ({ missing: [], undecided: [] }),
    alarms: createHealth().alarms,
    retentionMs: 3_600_000,
    everyMs: 1_000,
    logger: createLogger({ name: 'keeper', level: 'silent' }),
    metrics: { purged: () => undefined, unshipped: () => undefined },
    now: () => new Date(),
  });
  return {
    run: job.run(stop.signal),
    sessions: () => sessions,
    look: firstLook.resolve,
    stop: () => stop.abort(),
  };
}

it('deletes nothing before the relay was LOOKED at', async () => {
  const { run, sessions, look } = prepare();
  await turn();
  expect(sessions()).toBe(0);
  look();
  await run;
  expect(sessions()).toBe(1);
});

it('ends without a look when it is told to STOP', async () => {
  const { run, sessions, stop } = prepare();
  stop();
  await run;
  expect(sessions()).toBe(0);
});

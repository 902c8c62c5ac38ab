import { setImmediate as turn } from 'node:timers/promises';
import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { purgeTables } from './purge-and-trim.ts';

function prepare() {
  const firstObservation = Promise.withResolvers<void>();
  const stop = new AbortController();
  let sessions = 0;
  const job = purgeTables({
    firstObservation: firstObservation.promise,
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
    observe: firstObservation.resolve,
    stop: () => stop.abort(),
  };
}

it('the purge deletes nothing before the first observation of the relay', async () => {
  const { run, sessions, observe } = prepare();
  await turn();
  expect(sessions()).toBe(0);
  observe();
  await run;
  expect(sessions()).toBe(1);
});

it('the purge ends without an observation when the signal aborts', async () => {
  const { run, sessions, stop } = prepare();
  stop();
  await run;
  expect(sessions()).toBe(0);
});

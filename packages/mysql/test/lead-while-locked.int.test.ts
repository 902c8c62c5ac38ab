import { createTestSchema, startTcpProxy, uniqueName, waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { leadWhileLocked, type LockState } from '../src/index.ts';

async function prepare() {
  const { connection, drop } = await createTestSchema(inject('stack'));
  onTestFinished(drop);
  const proxy = await startTcpProxy(connection);
  onTestFinished(proxy.close);
  return { connection, proxy, lock: uniqueName('lock') };
}

/** A process that waits to lead. */
function candidate(connection: Parameters<typeof leadWhileLocked>[0]['connection'], lock: string) {
  const stop = new AbortController();
  const states: LockState['kind'][] = [];
  let leading = false;
  let answers = 0;
  const ended = leadWhileLocked({
    connection,
    lock,
    signal: stop.signal,
    onChange: ({ kind }) => states.push(kind),
    onAnswer: () => (answers += 1),
    async lead(signal) {
      leading = true;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      leading = false;
    },
  });
  const leave = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  onTestFinished(leave);
  return { states, isLeading: () => leading, answers: () => answers, leave };
}

it('one process leads, the other waits and takes over when the first leaves', async () => {
  const { connection, lock } = await prepare();
  const first = candidate(connection, lock);
  await waitUntil('the first leads', first.isLeading);
  const second = candidate(connection, lock);
  await waitUntil('the second waits', () => second.states.includes('waiting'));
  expect(second.isLeading()).toBe(false);
  await first.leave();
  await waitUntil('the second leads', second.isLeading, { timeoutMs: 3_000 });
  expect(first.isLeading()).toBe(false);
});

it('the leader stands down when its link is dead, without an error from it', async () => {
  const { connection, proxy, lock } = await prepare();
  const first = candidate({ ...connection, port: proxy.port }, lock);
  await waitUntil('the first leads', first.isLeading);
  await waitUntil('the server says so again', () => first.answers() >= 3, { timeoutMs: 6_000 });
  proxy.set({ kind: 'half-open', drop: 'both' });
  await waitUntil('the first has stood down', () => !first.isLeading(), { timeoutMs: 8_000 });
});

it('the leader stands down at once when its connection is cut, reports why, and leads again later', async () => {
  const { connection, proxy, lock } = await prepare();
  const first = candidate({ ...connection, port: proxy.port }, lock);
  await waitUntil('the first leads', first.isLeading);
  proxy.set({ kind: 'cut' });
  await waitUntil('the first has stood down', () => !first.isLeading(), { timeoutMs: 3_000 });
  await waitUntil('it says why', () => first.states.includes('failed'));
  proxy.set({ kind: 'none' });
  await waitUntil('it leads again', first.isLeading, { timeoutMs: 10_000 });
});

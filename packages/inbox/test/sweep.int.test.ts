import { setFailpoint } from '@board/service/testing';
import { waitUntil } from '@board/test';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  inject,
  it,
  onTestFinished,
} from 'vitest';
import { drain } from '../src/apply/drain.ts';
import { startSweeper, sweep } from '../src/apply/drain.ts';
import type { Inbox } from '../src/inbox.ts';
import { openInboxLab, type InboxLab } from './support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';

const ids = ['a', 'b', 'c'];

let lab: InboxLab;
let inbox: Inbox;

beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
beforeEach(async () => {
  await lab.produce(ids.map((id) => lab.thing(id, 2)));
  ({ inbox } = await lab.start(thingLogHandler(), { settings: { sweepEveryMs: 3_600_000 } }));
  await lab.caughtUp();
  // As a process leaves it that died between its commit and its drain.
  await lab.rows('UPDATE mark SET version = 1');
});
afterEach(() => lab.reset());
afterAll(() => lab.close());

const applied = async (): Promise<string[]> =>
  [...(await appliedVersions(lab.schema.root)).keys()].toSorted();
const never = () => false;

it('drains what was left behind, and leaves what another process may be draining', async () => {
  await sweep(inbox, { isLeftOver: (id, version) => id === 'b' && version === 2, isOver: never });
  expect(await applied()).toEqual(['b']);
  await sweep(inbox, { isLeftOver: () => true, isOver: never });
  expect(await applied()).toEqual(ids);
});

it('ends after the aggregate under way once it is over', async () => {
  let drains = 0;
  onTestFinished(setFailpoint('before-drain', () => (drains += 1)));
  await sweep(inbox, { isLeftOver: () => true, isOver: () => drains > 0 });
  expect(await applied()).toHaveLength(1);
});

it('leaves what it sees for the first time until the next sweep', async () => {
  const sweepEveryMs = 300;
  const startedAt = performance.now();
  const drainedAt: number[] = [];
  onTestFinished(setFailpoint('before-drain', () => drainedAt.push(performance.now())));
  const stop = startSweeper({ ...inbox, settings: { ...inbox.settings, sweepEveryMs } });
  await waitUntil('all of it drained', async () => (await applied()).length === ids.length);
  await stop();
  // It runs at once, and then after each pause; a timer may come a moment early.
  expect((drainedAt[0] ?? 0) - startedAt).toBeGreaterThan(sweepEveryMs * 0.9);
});

it('ends after the round under way when it is stopped', async () => {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let drains = 0;
  const undo = setFailpoint('before-drain', async () => {
    drains += 1;
    reach();
    await released;
  });
  onTestFinished(undo);
  const stop = startSweeper({ ...inbox, settings: { ...inbox.settings, sweepEveryMs: 1 } });
  await reached;
  const stopped = stop();
  release();
  await stopped;
  expect(drains).toBe(1);
  expect(await applied()).toHaveLength(1);
});

it('tries nothing more once the circuit breaker has opened in the middle of a sweep', async () => {
  let drains = 0;
  let asked = 0;
  onTestFinished(setFailpoint('before-drain', () => (drains += 1)));
  const isOpen = (): boolean => {
    asked += 1;
    return drains > 0;
  };
  const stop = startSweeper({
    ...inbox,
    breaker: { ...inbox.breaker, isOpen },
    settings: { ...inbox.settings, sweepEveryMs: 1 },
  });
  await waitUntil('the first is drained', () => drains > 0);
  const askedThen = asked;
  await waitUntil('later sweeps have asked too', () => asked > askedThen + 10);
  await stop();
  expect(drains).toBe(1);
});

it('a drain does nothing when its time is over before its turn comes', async () => {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let drains = 0;
  const undo = setFailpoint('before-drain', async () => {
    drains += 1;
    reached.resolve();
    await released.promise;
  });
  onTestFinished(undo);
  const first = drain(inbox, ['a'], never);
  await reached.promise;
  let isOver = false;
  const second = drain(inbox, ['a', 'b'], () => isOver);
  isOver = true;
  released.resolve();
  await Promise.all([first, second]);
  expect(drains).toBe(1);
  expect(await applied()).toEqual(['a']);
});

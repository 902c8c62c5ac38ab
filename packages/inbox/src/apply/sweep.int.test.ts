import { setFailpoint } from '@board/service-kit';
import { afterEach, beforeEach, expect, inject, it, onTestFinished } from 'vitest';
import type { Inbox } from '../inbox.ts';
import { openInboxLab, type InboxLab } from '../testing/inbox-lab.ts';
import type { ThingChanged } from '../testing/thing-codec.ts';
import { appliedVersions, thingLogHandler } from '../testing/thing-log.ts';
import { drain } from './drain.ts';
import { sweep } from './sweep.ts';

const ids = ['a', 'b', 'c'];

let lab: InboxLab;
let inbox: Inbox<ThingChanged>;

beforeEach(async () => {
  lab = await openInboxLab(inject('stack'));
  await lab.produce(ids.map((id) => lab.thing(id, 2)));
  ({ inbox } = await lab.start(thingLogHandler(), { settings: { sweepEveryMs: 3_600_000 } }));
  await lab.caughtUp();
  // As a process leaves it that died between its commit and its drain.
  await lab.rows('UPDATE mark SET version = 1');
});
afterEach(() => lab.close());

const applied = async (): Promise<string[]> => [...(await appliedVersions(lab.schema.root)).keys()].toSorted();
const never = () => false;

it('drains what was LEFT, and leaves what somebody else may be at', async () => {
  await sweep(inbox, { isLeftOver: (id, version) => id === 'b' && version === 2, isOver: never });
  expect(await applied()).toEqual(['b']);
  await sweep(inbox, { isLeftOver: () => true, isOver: never });
  expect(await applied()).toEqual(ids);
});

it('ENDS after the aggregate under way', async () => {
  let drains = 0;
  onTestFinished(setFailpoint('before-drain', () => (drains += 1)));
  await sweep(inbox, { isLeftOver: () => true, isOver: () => drains > 0 });
  expect(await applied()).toHaveLength(1);
});

it('a drain whose time is over when its turn comes does NOTHING', async () => {
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

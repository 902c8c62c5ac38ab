import { expect, it } from 'vitest';
import { decideReplay } from './replay.ts';

const open = {
  reason: 'attempts-exhausted',
  version: 5,
  markVersion: 4,
  skippedBy: null,
  closedAt: null,
  isReplayPending: false,
} as const;

it.each([
  ['an open dead letter whose turn it is', {}, 'replay'],
  ['an open dead letter whose turn has not come', { markVersion: 1 }, 'replay'],
  ['a dead letter that the mark has passed', { markVersion: 6 }, 'superseded'],
  ['a dead letter that is the mark, for it was applied', { markVersion: 5 }, 'superseded'],
  [
    'a dead letter that the policy passed over, while it is the mark',
    { markVersion: 5, skippedBy: 'policy' },
    'replay',
  ],
  ['the same once the mark has moved on', { markVersion: 6, skippedBy: 'policy' }, 'superseded'],
  ['a dead letter that was skipped by hand', { markVersion: 5, skippedBy: 'hand' }, 'superseded'],
  ['a dead letter that was dismissed', { closedAt: 1 }, 'closed'],
  ['a dead letter that was sent and has not failed since', { isReplayPending: true }, 'in-flight'],
  ['a record without identity', { reason: 'no-identity', version: null }, 'no-identity'],
  ['the second event of one place', { reason: 'conflict' }, 'conflict'],
] as const)('%s: %o is %s', (_name, changes, verdict) => {
  expect(decideReplay({ ...open, ...changes }, false)).toBe(verdict);
});

it('replays a dead letter that is in flight or dismissed only with `again`', () => {
  expect(decideReplay({ ...open, isReplayPending: true }, true)).toBe('replay');
  expect(decideReplay({ ...open, closedAt: 1 }, true)).toBe('replay');
  expect(decideReplay({ ...open, markVersion: 5 }, true)).toBe('superseded');
});

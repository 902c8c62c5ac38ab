import { describe, expect, it } from 'vitest';
import { classifyObservation, countTransactions, type RelayObservation } from './observe-relay.ts';
import { findOpenIncident, createIncident, type Seen } from './relay-memory.ts';

const before: Seen = {
  at: '2026-01-01T00:00:00.000Z',
  serverUuid: 'a',
  executed: 'a:1-10',
  relayed: 'a:1-9',
  file: 'binlog.000003',
  snapshot: false,
};
const good: RelayObservation = {
  serverUuid: 'a',
  executed: 'a:1-12',
  relayed: 'a:1-12',
  file: 'binlog.000003',
  snapshot: false,
  position: '{}',
  keepsHistory: true,
  keepsPosition: true,
  isKnownToServer: true,
  behind: '',
};
const noPosition: Partial<RelayObservation> = { relayed: '', position: '', keepsPosition: false };
const blocked = createIncident({ reason: 'reset', fence: 'blocked' }, new Date(0));
const open = createIncident({ reason: 'rebuilt', fence: 'open' }, new Date(0));
const classify = (
  changes: Partial<RelayObservation>,
  seen: Seen | null = before,
  openIncident?: typeof open,
) => classifyObservation(seen ?? undefined, { ...good, ...changes }, openIncident);

describe('classifyObservation', () => {
  it.each<[string, Partial<RelayObservation>, Seen | null]>([
    ['nothing has changed', {}, before],
    ['there was no observation before', { relayed: '', position: '' }, null],
    ['a new connector takes its first snapshot', { snapshot: true }, { ...before, relayed: '' }],
    ['a snapshot still runs', { snapshot: true }, { ...before, snapshot: true }],
    [
      'another server took over that has everything',
      { serverUuid: 'b', file: 'binlog.000001' },
      before,
    ],
    [
      'the next binlog file has begun',
      { file: 'binlog.000010' },
      { ...before, file: 'binlog.000009' },
    ],
    [
      'the number of the binlog file gets a seventh digit',
      { file: 'binlog.1000000' },
      { ...before, file: 'binlog.999999' },
    ],
  ])('finds nothing when %s', (_name, changes, seen) => {
    expect(classify(changes, seen)).toBeUndefined();
  });

  it.each<[string, Partial<RelayObservation>, string]>([
    [
      'GTIDs were reset',
      { keepsHistory: false, executed: 'a:1-2', relayed: 'a:1-9', isKnownToServer: false },
      'GTIDs were reset',
    ],
    [
      'a backup was restored and the position is old',
      { keepsHistory: false },
      'a backup was restored',
    ],
    [
      'another server took over that lacks transactions',
      { serverUuid: 'b', keepsHistory: false },
      'another server',
    ],
    ['GTIDs were reset and have grown past the old set', { file: 'binlog.000001' }, 'begun anew'],
    [
      'the position names what the server does not have',
      { isKnownToServer: false },
      'does not have',
    ],
  ])('finds an incident that blocks the fence when %s', (_name, changes, reason) => {
    expect(classify(changes)).toEqual({
      fence: 'blocked',
      reason: expect.stringContaining(reason),
    });
  });

  it.each<[string, Partial<RelayObservation>, string]>([
    ['the position is gone', noPosition, 'lost its position'],
    ['a new snapshot runs', { snapshot: true }, 'new snapshot'],
    ['the position does not continue the old one', { keepsPosition: false }, 'does not continue'],
    [
      'GTIDs were reset and the position rebuilt between two observations',
      { keepsHistory: false, keepsPosition: false },
      'were reset',
    ],
    [
      'GTIDs were reset and the position is gone',
      { keepsHistory: false, ...noPosition },
      'were reset',
    ],
  ])('finds an incident that leaves the fence open when %s', (_name, changes, reason) => {
    expect(classify(changes)).toEqual({ fence: 'open', reason: expect.stringContaining(reason) });
  });

  it('opens the fence once the position was rebuilt, not before, and keeps the first reason', () => {
    expect(classify({}, before, blocked)).toBeUndefined();
    expect(classify({ isKnownToServer: false }, before, blocked)).toBeUndefined();
    expect(classify(noPosition, before, blocked)).toEqual({
      fence: 'open',
      reason: expect.stringMatching(/^reset; then .*lost/),
    });
  });

  it('keeps a connector held after every other finding, until its position was rebuilt', () => {
    const held = { ...open, held: true } as const;
    expect(classify({ isKnownToServer: false }, before, held)).toMatchObject({ held: true });
    expect(classify({ keepsHistory: false }, before, held)).toMatchObject({ held: true });
    expect(classify(noPosition, before, held)).not.toHaveProperty('held');
  });

  it('finds what lasts only once', () => {
    expect(classify(noPosition, { ...before, relayed: '' }, open)).toBeUndefined();
    expect(classify({ snapshot: true }, { ...before, snapshot: true }, open)).toBeUndefined();
  });
});

describe('an incident', () => {
  it('is open until a closure has its id', () => {
    const closure = { at: open.at, by: 'audit', reason: '' } as const;
    expect(findOpenIncident({})).toBeUndefined();
    expect(findOpenIncident({ incident: open })).toBe(open);
    expect(
      findOpenIncident({ incident: open, closure: { ...closure, suspicion: blocked.id } }),
    ).toBe(open);
    expect(
      findOpenIncident({ incident: open, closure: { ...closure, suspicion: open.id } }),
    ).toBeUndefined();
    expect(findOpenIncident({ closure: { ...closure, suspicion: open.id } })).toBeUndefined();
  });
  it('has an id of its own, also when it is created from another one', () => {
    const again = createIncident(open, new Date(1));
    expect(again).toMatchObject({ reason: open.reason, at: new Date(1).toISOString() });
    expect(again.id).not.toBe(open.id);
  });
});

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

it.each([
  ['', 0],
  [`${uuid}:7`, 1],
  [`${uuid}:1-5:11-12,\n7d11fa47-71ca-11e1-9e33-c80aa9429562:3`, 8],
  [`${uuid}:1-3:tag:1-2:5`, 6],
  // A server whose UUID begins like a number.
  ['11111111-1111-1111-1111-111111111111:1-2', 2],
])('the set "%s" has %i transactions', (gtids, count) => {
  expect(countTransactions(gtids)).toBe(count);
});

import { describe, expect, it } from 'vitest';
import { findOpenIncident, createIncident, type Seen } from './memory/relay-memory.ts';
import { classifyObservation } from './watch/classify-observation.ts';
import type { RelayObservation } from './watch/observe-relay.ts';

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
  known: true,
  behind: '',
};
const noPosition: Partial<RelayObservation> = { relayed: '', position: '', keepsPosition: false };
const blocked = createIncident({ reason: 'reset', fence: 'blocked' }, new Date(0));
const open = createIncident({ reason: 'rebuilt', fence: 'open' }, new Date(0));
const judge = (
  changes: Partial<RelayObservation>,
  seen: Seen | null = before,
  known?: typeof open,
) => classifyObservation(seen ?? undefined, { ...good, ...changes }, known);

describe('a look at the relay', () => {
  it.each<[string, Partial<RelayObservation>, Seen | null]>([
    ['all goes on', {}, before],
    ['the first look ever', { relayed: '', position: '' }, null],
    ['the FIRST snapshot of a new connector', { snapshot: true }, { ...before, relayed: '' }],
    ['a snapshot that still runs', { snapshot: true }, { ...before, snapshot: true }],
    [
      'a failover to a server that has everything',
      { serverUuid: 'b', file: 'binlog.000001' },
      before,
    ],
    ['the next binlog file', { file: 'binlog.000010' }, { ...before, file: 'binlog.000009' }],
    ['more than 999,999 files', { file: 'binlog.1000000' }, { ...before, file: 'binlog.999999' }],
  ])('finds nothing: %s', (_name, changes, seen) => {
    expect(judge(changes, seen)).toBeUndefined();
  });

  it.each<[string, Partial<RelayObservation>, string]>([
    [
      'GTIDs were RESET',
      { keepsHistory: false, executed: 'a:1-2', relayed: 'a:1-9', known: false },
      'GTIDs were reset',
    ],
    [
      'a RESTORED server grows, the position is old',
      { keepsHistory: false },
      'a backup was restored',
    ],
    [
      'ANOTHER server without everything',
      { serverUuid: 'b', keepsHistory: false },
      'another server',
    ],
    ['GTIDs that have GROWN PAST the old set', { file: 'binlog.000001' }, 'begun anew'],
    ['a position that names what the server does not have', { known: false }, 'does not have'],
  ])('blocks the fence: %s', (_name, changes, reason) => {
    expect(judge(changes)).toEqual({ fence: 'blocked', reason: expect.stringContaining(reason) });
  });

  it.each<[string, Partial<RelayObservation>, string]>([
    ['the position is GONE', noPosition, 'lost its position'],
    ['a new SNAPSHOT', { snapshot: true }, 'new snapshot'],
    ['a new position', { keepsPosition: false }, 'does not continue'],
    [
      'reset and rebuilt between two looks',
      { keepsHistory: false, keepsPosition: false },
      'were reset',
    ],
    ['reset, and the position gone', { keepsHistory: false, ...noPosition }, 'were reset'],
  ])('is suspicious, with a fence that can be believed: %s', (_name, changes, reason) => {
    expect(judge(changes)).toEqual({ fence: 'open', reason: expect.stringContaining(reason) });
  });

  it('opens the fence once the position was rebuilt, NOT before, and tells the whole story', () => {
    expect(judge({}, before, blocked)).toBeUndefined();
    expect(judge({ known: false }, before, blocked)).toBeUndefined();
    expect(judge(noPosition, before, blocked)).toEqual({
      fence: 'open',
      reason: expect.stringMatching(/^reset; then .*lost/),
    });
  });

  it('keeps a connector held whatever else is found, until its position was rebuilt', () => {
    const held = { ...open, held: true } as const;
    expect(judge({ known: false }, before, held)).toMatchObject({ held: true });
    expect(judge({ keepsHistory: false }, before, held)).toMatchObject({ held: true });
    expect(judge(noPosition, before, held)).not.toHaveProperty('held');
  });

  it('raises what lasts only once', () => {
    expect(judge(noPosition, { ...before, relayed: '' }, open)).toBeUndefined();
    expect(judge({ snapshot: true }, { ...before, snapshot: true }, open)).toBeUndefined();
  });
});

describe('a suspicion', () => {
  it('is open until it is settled BY ITS ID', () => {
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
  it('has an id of its own, also when it is made of another one', () => {
    const again = createIncident(open, new Date(1));
    expect(again).toMatchObject({ reason: open.reason, at: new Date(1).toISOString() });
    expect(again.id).not.toBe(open.id);
  });
});

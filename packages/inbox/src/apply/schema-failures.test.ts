import { toHeaders } from '../../test/support/to-headers.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Delivery } from '../record.ts';
import type { Applied } from '../decide.ts';
import {
  decideSchemaFailure,
  trackSchemaFailures,
  type SchemaFailures,
} from './schema-failures.ts';

const minute = 60_000;

it.each([
  ['nothing succeeds', false, false, 100 * minute, 'wait'],
  ['others of its type succeed', true, false, 0, 'own-failure'],
  ['others of its type and of other types succeed', true, true, 0, 'own-failure'],
  ['only other types succeed, not for long', false, true, 9 * minute, 'wait'],
  ['only other types succeed, for long', false, true, 10 * minute, 'release'],
] as const)('decides when %s', (_, typeSucceeds, otherTypesSucceed, typeWaitedMs, expected) => {
  const facts = { typeSucceeds, otherTypesSucceed, typeWaitedMs, patienceMs: 10 * minute };
  expect(decideSchemaFailure(facts)).toBe(expected);
});

describe('among batches', () => {
  let nowMs: number;
  let track: SchemaFailures;
  beforeEach(() => {
    nowMs = 0;
    track = trackSchemaFailures(10 * minute, () => nowMs);
  });

  /** `A1` is an event of type A. */
  const delivery = (name: string): Delivery => ({
    kind: 'event',
    identity: { eventId: name, aggregateId: name, version: 1 },
    record: {
      origin: { topic: 't', partition: 0, offset: '0', timestampMs: 0 },
      key: null,
      value: null,
      headers: toHeaders({ eventType: name.charAt(0) }),
    },
    takenFrom: 'source',
    attempt: 1,
    firstFailedAtMs: undefined,
    replayed: false,
  });
  const missingColumn = Object.assign(new Error('Unknown column'), {
    errno: 1054,
    sqlState: '42S22',
  });

  interface Batch {
    readonly applied?: readonly string[];
    readonly missing?: readonly string[];
    readonly failed?: readonly string[];
    readonly invalid?: readonly string[];
    readonly number?: number;
  }

  /** What is routed, and which event the batch waits for. */
  function process({
    applied = [],
    missing = [],
    failed = [],
    invalid = [],
    number = track.begin(),
  }: Batch) {
    const names = [...applied, ...missing, ...failed, ...invalid].toSorted((a, b) =>
      a.slice(1).localeCompare(b.slice(1)),
    );
    const deliveries = new Map(names.map((name) => [name, delivery(name)]));
    const get = (name: string) => deliveries.get(name) ?? delivery(name);
    const result: Applied = {
      applied: applied.map(get),
      duplicates: [],
      parked: [],
      drainable: [],
      failed: [
        ...failed.map((name) => ({ delivery: get(name), error: new Error('own') })),
        ...missing.map((name) => ({
          delivery: get(name),
          error: new Error('wrapped', { cause: missingColumn }),
        })),
      ],
      invalid: invalid.map((name) => ({ delivery: get(name), error: new Error('invalid') })),
      conflicts: [],
    };
    const { routable, wait } = track.classify(number, [...deliveries.values()], result);
    const routed = [...routable.failed, ...routable.invalid]
      .map((one) => one.delivery.identity.eventId)
      .toSorted();
    return { routed, waitsFor: wait?.delivery.identity.eventId };
  }

  it('waits without a limit while nothing succeeds', () => {
    for (let hour = 0; hour < 48; hour += 1) {
      expect(process({ missing: ['A1', 'B2'] })).toEqual({ routed: [], waitsFor: 'A1' });
      nowMs += 60 * minute;
    }
  });

  it('does not count as a success what was applied before the first failure', () => {
    process({ applied: ['A0', 'B0'] });
    expect(process({ missing: ['A1'] })).toEqual({ routed: [], waitsFor: 'A1' });
    nowMs += 15 * minute;
    expect(process({ missing: ['A1'] })).toEqual({ routed: [], waitsFor: 'A1' });
  });

  it('does not count as a success of its type what began before the failure and was applied after it', () => {
    const slow = track.begin();
    expect(process({ missing: ['A1'] }).waitsFor).toBe('A1');
    process({ applied: ['A9'], number: slow });
    expect(process({ missing: ['A1'] }).waitsFor).toBe('A1');
    process({ applied: ['A8'] });
    expect(process({ missing: ['A1'] })).toEqual({ routed: ['A1'], waitsFor: undefined });
  });

  it('routes the one event of a type whose others succeed, in the same batch or later', () => {
    expect(process({ applied: ['A1'], missing: ['A2'] })).toEqual({
      routed: ['A2'],
      waitsFor: undefined,
    });
    // Alone in a retry topic.
    expect(process({ missing: ['A2'] })).toEqual({ routed: ['A2'], waitsFor: undefined });
    expect(process({ missing: ['A3'] }).waitsFor).toBe('A3');
    process({ applied: ['A4'] });
    expect(process({ missing: ['A3'] })).toEqual({ routed: ['A3'], waitsFor: undefined });
  });

  it('remembers what was applied beside an event that could not be decided before another one', () => {
    // B1 waits, so A3 comes again, and A2 is a duplicate by then.
    expect(process({ missing: ['B1', 'A3'], applied: ['A2'] }).waitsFor).toBe('B1');
    nowMs += 10 * minute;
    expect(process({ missing: ['B1', 'A3'] })).toEqual({
      routed: ['A3', 'B1'],
      waitsFor: undefined,
    });
  });

  it('releases one event of a type after each wait while only other types succeed', () => {
    process({ applied: ['B0'], missing: ['A1', 'A2', 'A3'] });
    const routed: string[][] = [];
    for (let left = ['A1', 'A2', 'A3']; left.length > 0; nowMs += minute) {
      process({ applied: ['B0'] });
      const { routed: now } = process({ missing: left });
      if (now.length > 0) routed.push([String(nowMs / minute), ...now]);
      left = left.filter((name) => !now.includes(name));
    }
    expect(routed).toEqual([
      ['10', 'A1'],
      ['20', 'A2'],
      ['30', 'A3'],
    ]);
    // On its way through the retry topics it is a failed event like any other.
    expect(process({ missing: ['A3'] })).toEqual({ routed: ['A3'], waitsFor: undefined });
  });

  it('counts the wait from when other types succeed, not from the first failure', () => {
    for (; nowMs < 60 * minute; nowMs += minute)
      expect(process({ missing: ['A1'] }).waitsFor).toBe('A1');
    process({ applied: ['B2'] });
    expect(process({ missing: ['A1'] }).waitsFor).toBe('A1');
    nowMs += 9 * minute;
    expect(process({ missing: ['A1'] }).waitsFor).toBe('A1');
    nowMs += minute;
    expect(process({ missing: ['A1'] }).routed).toEqual(['A1']);
  });

  it('does not count a success that is older than two waits', () => {
    process({ applied: ['B0'], missing: ['A1'] });
    for (let n = 0; n < 25; n += 1) {
      nowMs += minute;
      process({ missing: ['A9'] });
    }
    expect(process({ missing: ['A2'] }).waitsFor).toBe('A2');
    nowMs += 11 * minute;
    expect(process({ missing: ['A2'] }).waitsFor).toBe('A2');
  });

  it('routes nothing that comes after the event that waits', () => {
    expect(process({ failed: ['A1', 'A5'], invalid: ['A2', 'A6'], missing: ['B3', 'B4'] })).toEqual(
      {
        routed: ['A1', 'A2'],
        waitsFor: 'B3',
      },
    );
  });

  it('does not touch failures of any other kind', () => {
    expect(process({ failed: ['A1'], invalid: ['B2'] })).toEqual({
      routed: ['A1', 'B2'],
      waitsFor: undefined,
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHeaders } from '../test/support/to-headers.ts';
import { decide, identify, planBatch, type Mark, type PlanInput } from './decide.ts';
import { InvalidEventError } from './errors.ts';
import type { Delivery } from './record.ts';

describe('identify', () => {
  const headers = (changes: Parameters<typeof toHeaders>[0] = {}) =>
    toHeaders({ id: 'e1', aggregateId: 'a1', version: '7', ...changes });

  it('finds no identity in a record of the aggregate that is reserved for self-tests', () => {
    const selfTest = headers({ aggregateId: 'inbox-probe' });
    expect(identify(selfTest)).toEqual({
      kind: 'no-identity',
      problem: 'the aggregate id inbox-probe is reserved',
    });
    expect(identify(selfTest, null)).toMatchObject({ identity: { aggregateId: 'inbox-probe' } });
  });

  it('reads event, aggregate and version from the headers', () => {
    expect(identify(headers())).toEqual({
      kind: 'identified',
      identity: { eventId: 'e1', aggregateId: 'a1', version: 7 },
    });
  });

  it('reads the highest version', () => {
    expect(identify(headers({ version: '4294967295' }))).toMatchObject({
      identity: { version: 4294967295 },
    });
  });

  it.each([
    ['no id', { id: undefined }],
    ['an empty id', { id: '' }],
    ['an id of 37 characters', { id: 'x'.repeat(37) }],
    ['a repeated id', { id: [Buffer.from('a'), Buffer.from('b')] }],
    ['a null aggregateId', { aggregateId: null }],
    ['an aggregateId of 65 characters', { aggregateId: 'x'.repeat(65) }],
    ['an aggregateId with a space, which MySQL could cut', { aggregateId: 'a ' }],
    ['an aggregateId beyond ASCII', { aggregateId: '글' }],
    ['no version', { version: undefined }],
    ['version 0', { version: '0' }],
    ['version 2^32', { version: '4294967296' }],
    ['a negative version', { version: '-1' }],
    ['a version with a leading zero', { version: '07' }],
    ['a version that is no number', { version: '1e3' }],
  ])('finds no identity in a record with %s', (_name, changes) => {
    expect(identify(headers(changes))).toHaveProperty('kind', 'no-identity');
  });
});

describe('decide', () => {
  const event = (version: number, eventId = `e${version}`) => ({
    eventId,
    aggregateId: 'a',
    version,
  });
  const mark = (version: number, eventId = `e${version}`): Mark => ({ version, eventId });

  it('applies the event that follows the mark', () => {
    expect(decide(mark(0, ''), event(1))).toBe('apply');
    expect(decide(mark(4), event(5))).toBe('apply');
  });

  it('calls everything up to the mark a duplicate', () => {
    expect(decide(mark(4), event(4))).toBe('duplicate');
    expect(decide(mark(4), event(1, 'any'))).toBe('duplicate');
  });

  it('parks what lies beyond the next version', () => {
    expect(decide(mark(4), event(6))).toBe('park');
  });

  it('calls another event at the mark a conflict', () => {
    expect(decide(mark(4), event(4, 'other'))).toBe('conflict');
  });

  it('applies each version once and in order, whatever the order and number of deliveries', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 60 }), (versions) => {
        let now = mark(0, '');
        const applied: number[] = [];
        for (const version of versions)
          if (decide(now, event(version)) === 'apply') {
            applied.push(version);
            now = mark(version);
          }
        expect(applied).toEqual(Array.from({ length: applied.length }, (_, index) => index + 1));
      }),
    );
  });
});

describe('planBatch', () => {
  const delivery = (
    aggregateId: string,
    version: number,
    changes: Partial<Pick<Delivery, 'identity' | 'kind' | 'replayed'>> = {},
  ): Delivery => ({
    kind: 'event',
    identity: { aggregateId, version, eventId: `${aggregateId}${version}` },
    takenFrom: 'source',
    attempt: 1,
    firstFailedAtMs: undefined,
    replayed: false,
    record: {
      origin: { topic: 't', partition: 0, offset: '0', timestampMs: 0 },
      key: null,
      value: null,
      headers: toHeaders({}),
    },
    ...changes,
  });

  const marks = (entries: Record<string, number>): Map<string, Mark> =>
    new Map(
      Object.entries(entries).map(([id, version]) => [
        id,
        { version, eventId: version === 0 ? '' : `${id}${version}` },
      ]),
    );

  const plan = (deliveries: Delivery[], changes: Partial<PlanInput> = {}) =>
    planBatch({
      deliveries,
      marks: marks({ a: 0, b: 0 }),
      reopened: [],
      knownFailures: new Map(),
      toMessage: ({ identity }) => ({
        event: { type: 'x', data: undefined },
        ...identity,
        attempt: 1,
        traceparent: undefined,
      }),
      ...changes,
    });

  const ids = (list: readonly { delivery: Delivery }[]) =>
    list.map((one) => one.delivery.identity.eventId);
  const idsOf = (list: readonly Delivery[]) => list.map((one) => one.identity.eventId);

  it('handles consecutive versions of one aggregate in one batch', () => {
    expect(ids(plan([delivery('a', 1), delivery('b', 1), delivery('a', 2)]).steps)).toEqual([
      'a1',
      'b1',
      'a2',
    ]);
  });

  it('skips what it has already planned in the same batch', () => {
    const { steps, duplicates } = plan([delivery('a', 1), delivery('a', 1)]);
    expect(ids(steps)).toEqual(['a1']);
    expect(idsOf(duplicates)).toEqual(['a1']);
  });

  it('never decodes duplicates and parked records', () => {
    const toMessage = () => {
      throw new Error('decoded');
    };
    const { duplicates, park } = plan([delivery('a', 1), delivery('a', 3)], {
      marks: marks({ a: 1 }),
      toMessage,
    });
    expect(idsOf(duplicates)).toEqual(['a1']);
    expect(idsOf(park)).toEqual(['a3']);
  });

  it('parks the followers of an event that does not decode, and goes on with others', () => {
    const { steps, invalid, park } = plan([delivery('a', 1), delivery('a', 2), delivery('b', 1)], {
      toMessage: ({ identity }) => {
        if (identity.eventId === 'a1') throw new InvalidEventError('bad');
        return {
          event: { type: 'x', data: undefined },
          ...identity,
          attempt: 1,
          traceparent: undefined,
        };
      },
    });
    expect(ids(invalid)).toEqual(['a1']);
    expect(idsOf(park)).toEqual(['a2']);
    expect(ids(steps)).toEqual(['b1']);
  });

  it('parks the followers of an event known to fail', () => {
    const { steps, failed, park } = plan([delivery('a', 1), delivery('a', 2)], {
      knownFailures: new Map([['a1', 'late']]),
    });
    expect(ids(failed)).toEqual(['a1']);
    expect(idsOf(park)).toEqual(['a2']);
    expect(steps).toEqual([]);
  });

  it('calls another event at the mark a conflict', () => {
    const other = delivery('a', 1, {
      identity: { aggregateId: 'a', version: 1, eventId: 'other' },
    });
    expect(idsOf(plan([delivery('a', 1), other]).conflicts)).toEqual(['other']);
  });

  it('passes over a skip marker in its turn, and what follows applies', () => {
    const { steps } = plan([delivery('a', 1, { kind: 'skip-marker' }), delivery('a', 2)]);
    expect(steps.map((step) => step.kind)).toEqual(['no-effect', 'handle']);
  });

  it('applies a replayed event that was skipped and still is the mark, without moving the mark', () => {
    const { steps } = plan([delivery('a', 1, { replayed: true })], {
      marks: marks({ a: 1 }),
      reopened: [{ aggregateId: 'a', version: 1, eventId: 'a1' }],
    });
    expect(steps).toMatchObject([{ kind: 'handle', movesMark: false }]);
  });

  it('does not take the skip of another aggregate for the one of an event with the same id', () => {
    const same = { identity: { aggregateId: 'b', version: 1, eventId: 'a1' }, replayed: true };
    const { steps, duplicates } = plan([delivery('b', 1, same)], {
      marks: new Map([['b', { version: 1, eventId: 'a1' }]]),
      reopened: [{ aggregateId: 'a', version: 1, eventId: 'a1' }],
    });
    expect(steps).toEqual([]);
    expect(duplicates).toHaveLength(1);
  });

  it('calls a skipped event a duplicate when it is redelivered and not replayed', () => {
    const { steps, duplicates } = plan([delivery('a', 1)], {
      marks: marks({ a: 1 }),
      reopened: [{ aggregateId: 'a', version: 1, eventId: 'a1' }],
    });
    expect(steps).toEqual([]);
    expect(idsOf(duplicates)).toEqual(['a1']);
  });

  it('throws an error of its own code instead of calling the event invalid', () => {
    expect(() =>
      plan([delivery('a', 1)], {
        toMessage: () => {
          throw new TypeError('bug');
        },
      }),
    ).toThrow(TypeError);
  });
});

import { describe, expect, it } from 'vitest';
import type { Delivery } from '../delivery.ts';
import { InvalidEventError } from '../errors.ts';
import type { Mark } from './decide.ts';
import { toHeaders } from '../testing/to-headers.ts';
import { planBatch, type PlanInput } from './plan.ts';

const delivery = (aggregateId: string, version: number, changes: Partial<Delivery> = {}): Delivery => ({
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
    Object.entries(entries).map(([id, version]) => [id, { version, eventId: version === 0 ? '' : `${id}${version}` }]),
  );

const plan = (deliveries: Delivery[], changes: Partial<PlanInput<string>> = {}) =>
  planBatch<string>({
    deliveries,
    marks: marks({ a: 0, b: 0 }),
    reopened: new Set(),
    knownFailures: new Map(),
    toMessage: ({ identity }) => ({ event: 'x', ...identity, attempt: 1, traceparent: undefined }),
    ...changes,
  });

const ids = (list: readonly { delivery: Delivery }[]) => list.map((one) => one.delivery.identity.eventId);
const idsOf = (list: readonly Delivery[]) => list.map((one) => one.identity.eventId);

describe('planBatch', () => {
  it('handles consecutive versions of one aggregate in one batch', () => {
    expect(ids(plan([delivery('a', 1), delivery('b', 1), delivery('a', 2)]).steps)).toEqual(['a1', 'b1', 'a2']);
  });

  it('skips what it has already planned in the SAME batch', () => {
    const { steps, duplicates } = plan([delivery('a', 1), delivery('a', 1)]);
    expect(ids(steps)).toEqual(['a1']);
    expect(idsOf(duplicates)).toEqual(['a1']);
  });

  it('never decodes duplicates and parked records', () => {
    const toMessage = () => {
      throw new Error('decoded');
    };
    const { duplicates, park } = plan([delivery('a', 1), delivery('a', 3)], { marks: marks({ a: 1 }), toMessage });
    expect(idsOf(duplicates)).toEqual(['a1']);
    expect(idsOf(park)).toEqual(['a3']);
  });

  it('parks the followers of an event that does not decode, and goes on with others', () => {
    const { steps, invalid, park } = plan([delivery('a', 1), delivery('a', 2), delivery('b', 1)], {
      toMessage: ({ identity }) => {
        if (identity.eventId === 'a1') throw new InvalidEventError('bad');
        return { event: 'x', ...identity, attempt: 1, traceparent: undefined };
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
    const other = delivery('a', 1, { identity: { aggregateId: 'a', version: 1, eventId: 'other' } });
    expect(idsOf(plan([delivery('a', 1), other]).conflicts)).toEqual(['other']);
  });

  it('passes over a skip marker in its turn, and what follows applies', () => {
    const { steps } = plan([delivery('a', 1, { kind: 'skip-marker' }), delivery('a', 2)]);
    expect(steps.map((step) => step.kind)).toEqual(['pass', 'handle']);
  });

  it('applies a REPLAYED event that was skipped and still is the mark, without moving the mark', () => {
    const { steps } = plan([delivery('a', 1, { replayed: true })], {
      marks: marks({ a: 1 }),
      reopened: new Set(['a1']),
    });
    expect(steps).toMatchObject([{ kind: 'handle', movesMark: false }]);
  });

  it('leaves a skipped event alone when it is merely REDELIVERED', () => {
    const { steps, duplicates } = plan([delivery('a', 1)], { marks: marks({ a: 1 }), reopened: new Set(['a1']) });
    expect(steps).toEqual([]);
    expect(idsOf(duplicates)).toEqual(['a1']);
  });

  it('lets errors of its own code through instead of calling the event invalid', () => {
    expect(() =>
      plan([delivery('a', 1)], {
        toMessage: () => {
          throw new TypeError('bug');
        },
      }),
    ).toThrow(TypeError);
  });
});

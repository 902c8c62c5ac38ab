import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Mark } from './decide.ts';

const event = (version: number, eventId = `e${version}`) => ({ eventId, aggregateId: 'a', version });
const mark = (version: number, eventId = `e${version}`): Mark => ({ version, eventId });

describe('decide', () => {
  it('applies the event that follows the mark', () => {
    expect(decide(mark(0, ''), event(1))).toBe('apply');
    expect(decide(mark(4), event(5))).toBe('apply');
  });

  it('calls everything up to the mark a DUPLICATE', () => {
    expect(decide(mark(4), event(4))).toBe('duplicate');
    expect(decide(mark(4), event(1, 'any'))).toBe('duplicate');
  });

  it('parks what lies beyond the next version', () => {
    expect(decide(mark(4), event(6))).toBe('park');
  });

  it('calls ANOTHER event at the mark a conflict', () => {
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

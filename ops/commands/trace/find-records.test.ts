import { describe, expect, it } from 'vitest';
import { expectRecords } from './find-records.ts';
import type { Fact, Step } from './event-facts.ts';

const fact = (
  version: number,
  eventId: string | undefined,
  kind: 'changed' | 'parked' | 'replayed',
): Fact => ({
  version,
  eventId,
  atMs: 0,
  step: { kind } satisfies Step,
});

describe('the records that a topic must have', () => {
  it('are one per version when no fact names an event', () => {
    const expected = expectRecords(2, []);
    expect(expected.meet({ version: 2, eventId: 'b' })).toBe('more');
    expect(expected.meet({ version: 2, eventId: 'c' })).toBe('more');
    expect(expected.meet({ version: 1, eventId: 'a' })).toBe('enough');
  });

  it('are those that the outbox names, not other events of their versions', () => {
    const expected = expectRecords(1, [fact(1, 'genuine', 'changed')]);
    expect(expected.meet({ version: 1, eventId: 'forged' })).toBe('more');
    expect(expected.meet({ version: 1, eventId: 'genuine' })).toBe('enough');
  });

  it('include the forged one that a dead letter names', () => {
    const expected = expectRecords(1, [
      fact(1, 'genuine', 'changed'),
      fact(1, 'forged', 'replayed'),
    ]);
    expect(expected.meet({ version: 1, eventId: 'genuine' })).toBe('more');
    expect(expected.meet({ version: 1, eventId: 'forged' })).toBe('enough');
  });

  it('are not complete with the event of a dead letter when no fact names the genuine one', () => {
    const expected = expectRecords(1, [
      fact(1, 'forged', 'replayed'),
      fact(1, undefined, 'changed'),
    ]);
    expect(expected.meet({ version: 1, eventId: 'forged' })).toBe('more');
    expect(expected.meet({ version: 1, eventId: 'genuine' })).toBe('enough');
  });

  it('include a parked one beyond the version of the aggregate', () => {
    const expected = expectRecords(1, [fact(3, 'third', 'parked')]);
    expect(expected.meet({ version: 1, eventId: 'first' })).toBe('more');
    expect(expected.meet({ version: 3, eventId: 'third' })).toBe('enough');
  });
});

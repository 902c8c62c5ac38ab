import { describe, expect, it } from 'vitest';
import { classify, type Case, type ConsumerEntry, type SourceEntry } from './compare.ts';

const source = (version: number, changes: Partial<SourceEntry> = {}): SourceEntry => ({
  id: 'a',
  version,
  content: `content ${version}`,
  eventId: `event ${version}`,
  ...changes,
});

const consumer = (version: number, changes: Partial<ConsumerEntry> = {}): ConsumerEntry => ({
  id: 'a',
  version,
  content: version === 0 ? undefined : `content ${version}`,
  eventId: version === 0 ? undefined : `event ${version}`,
  skipped: false,
  nextParked: false,
  nextDead: false,
  conflict: false,
  ...changes,
});

const verdictOf = (changes: Partial<Case>) =>
  classify({
    noted: source(5),
    source: source(5),
    consumer: consumer(5),
    nextUnread: false,
    isBarrierPassed: true,
    ...changes,
  });

describe('an aggregate is', () => {
  it('in step at the same version with the same content', () => {
    expect(verdictOf({})).toBe('in step');
  });

  it('LOST when it is behind and its next event is nowhere', () => {
    expect(verdictOf({ consumer: consumer(4) })).toBe('LOST');
    expect(verdictOf({ consumer: consumer(0) })).toBe('LOST');
  });

  it('not lost when its next event is parked, unread or a dead letter', () => {
    expect(verdictOf({ consumer: consumer(4, { nextParked: true }) })).toBe('in flight');
    expect(verdictOf({ consumer: consumer(4), nextUnread: true })).toBe('in flight');
    expect(verdictOf({ consumer: consumer(4, { nextDead: true }) })).toBe('behind a dead letter');
  });

  it('not lost when it was changed after it was noted', () => {
    expect(verdictOf({ noted: source(4), consumer: consumer(4) })).toBe('in step');
    expect(verdictOf({ noted: undefined, source: source(1), consumer: consumer(0) })).toBe(
      'in step',
    );
  });

  it('of unknown fate when it is behind and the barrier is not passed', () => {
    expect(verdictOf({ consumer: consumer(4), isBarrierPassed: false })).toBe('cannot tell');
  });

  it('AHEAD when the mark is beyond the source, or the source has no such aggregate', () => {
    expect(verdictOf({ consumer: consumer(6) })).toBe('AHEAD');
    expect(verdictOf({ consumer: consumer(6), isBarrierPassed: false })).toBe('AHEAD');
    expect(verdictOf({ noted: undefined, source: undefined, consumer: consumer(1) })).toBe('AHEAD');
    expect(
      verdictOf({ noted: undefined, source: undefined, consumer: consumer(0, { content: 'x' }) }),
    ).toBe('AHEAD');
  });

  it('in step while neither side has it', () => {
    expect(verdictOf({ noted: undefined, source: undefined, consumer: consumer(0) })).toBe(
      'in step',
    );
  });

  it('different when the content is another at the same version, also when it was noted at that version', () => {
    expect(verdictOf({ consumer: consumer(5, { content: 'other' }) })).toBe('different');
    expect(verdictOf({ consumer: consumer(5, { content: undefined }) })).toBe('different');
    expect(verdictOf({ source: source(6), consumer: consumer(5, { content: 'other' }) })).toBe(
      'different',
    );
  });

  it('skipped, not different, when the version at the mark was passed over', () => {
    expect(verdictOf({ consumer: consumer(5, { content: 'content 4', skipped: true }) })).toBe(
      'skipped',
    );
    expect(verdictOf({ consumer: consumer(5, { skipped: true }) })).toBe('in step');
  });

  it('in conflict when another event made this version, or an open dead letter says so', () => {
    expect(verdictOf({ consumer: consumer(5, { eventId: 'another' }) })).toBe('conflict');
    expect(verdictOf({ consumer: consumer(5, { conflict: true }) })).toBe('conflict');
  });

  it('not in conflict when one side no longer knows the event', () => {
    expect(verdictOf({ source: source(5, { eventId: undefined }), noted: undefined })).toBe(
      'in step',
    );
    expect(verdictOf({ consumer: consumer(5, { eventId: undefined }) })).toBe('in step');
  });

  it('in step when it went on from the noted version and nothing is left to compare with', () => {
    expect(verdictOf({ source: source(7), consumer: consumer(6, { content: 'whatever' }) })).toBe(
      'in step',
    );
  });
});

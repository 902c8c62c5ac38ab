import { describe, expect, it } from 'vitest';
import type { Fact, Step } from './event-facts.ts';
import { formatTimeline } from './format-timeline.ts';
import { toTimeline, type KnownFacts } from './to-timeline.ts';

const startMs = Date.parse('2026-01-02T03:04:05.000Z');

function fact(version: number, afterMs: number, step: Step, eventId = `event-${version}`): Fact {
  return { version, eventId, atMs: startMs + afterMs, step };
}

const received = (version: number, afterMs: number): Fact =>
  fact(version, afterMs, { kind: 'received', by: 'order-service', requestId: 'r' });
const committed = (version: number, afterMs: number): Fact =>
  fact(version, afterMs, { kind: 'committed', by: 'order-service' });
const inTopic = (version: number, afterMs: number, offset = '7'): Fact =>
  fact(version, afterMs, { kind: 'in topic', topic: 'board', partition: 1, offset });
const applied = (version: number, afterMs: number, attempt = 1): Fact =>
  fact(version, afterMs, { kind: 'applied', by: 'catalog-service-1', attempt });
const failed = (version: number, afterMs: number, attempt: number): Fact =>
  fact(version, afterMs, {
    kind: 'failed',
    by: 'catalog-service-1',
    attempt,
    tier: attempt,
    error: 'E',
  });
const deadLetter = {
  kind: 'dead letter',
  reason: 'attempts-exhausted',
  attempts: 4,
  error: 'E',
  dlqOffset: '3',
} as const;

function trace(
  facts: readonly Fact[],
  { version = 1, mark = 1, ...rest }: Partial<KnownFacts> & { version?: number } = {},
) {
  const source = { version, createdAtMs: startMs, deletedAtMs: undefined };
  const of = { aggregateType: 'board', aggregateId: 'b', consumer: 'catalog' };
  return toTimeline({ ...of, source, mark, isTopicReadToEnd: true, facts, ...rest });
}

describe('the timeline', () => {
  it('orders the steps of an event and gives the milliseconds between them', () => {
    const [event] = trace([applied(1, 60), inTopic(1, 40), received(1, 0), committed(1, 9)]).events;
    expect(event?.steps.map(({ kind, at, afterMs }) => [kind, at, afterMs])).toEqual([
      ['received', '2026-01-02T03:04:05.000Z', 0],
      ['committed', '2026-01-02T03:04:05.009Z', 9],
      ['in topic', '2026-01-02T03:04:05.040Z', 31],
      ['applied', '2026-01-02T03:04:05.060Z', 20],
    ]);
    expect(event).toMatchObject({ outcome: 'applied', totalMs: 60, notFound: [] });
  });

  it('orders steps with equal times by the way through the pipeline', () => {
    const [event] = trace([applied(1, 0), inTopic(1, 0), committed(1, 0), received(1, 0)]).events;
    expect(event?.steps.map(({ kind }) => kind)).toEqual([
      'received',
      'committed',
      'in topic',
      'applied',
    ]);
  });

  it('shows each retry, and each copy in the topic', () => {
    const [event] = trace([
      inTopic(1, 0),
      inTopic(1, 5, '8'),
      failed(1, 10, 1),
      failed(1, 1_010, 2),
      applied(1, 3_000, 3),
    ]).events;
    expect(event?.steps.map(({ kind }) => kind)).toEqual([
      'in topic',
      'in topic',
      'failed',
      'failed',
      'applied',
    ]);
    expect(event?.steps[3]).toMatchObject({ attempt: 2, tier: 2, afterMs: 1_000 });
  });

  it('lists for every version what is not found, also for versions without facts', () => {
    const { events } = trace([inTopic(2, 0)], { version: 3, mark: 2 });
    expect(events.map(({ version, outcome, notFound }) => [version, outcome, notFound])).toEqual([
      [1, 'applied', ['request', 'commit', 'record', 'applied']],
      [2, 'applied', ['request', 'commit', 'applied']],
      [3, 'not in topic', ['request', 'commit', 'record']],
    ]);
  });

  it('leaves out what was before --since, whole versions too', () => {
    const { events } = trace([committed(1, 0), committed(2, 10), applied(2, 20)], {
      mark: 2,
      sinceMs: startMs + 15,
    });
    expect(events.map(({ version, steps }) => [version, steps.length])).toEqual([[2, 1]]);
  });

  it('takes the time of the change only when no log has the commit', () => {
    const changed = fact(1, 1, { kind: 'changed' });
    const kinds = (facts: Fact[]) =>
      trace(facts).events.map(({ steps }) => steps.map(({ kind }) => kind));
    expect(kinds([changed, changed, applied(1, 5)])).toEqual([['changed', 'applied']]);
    expect(kinds([changed, committed(1, 3), applied(1, 5)])).toEqual([['committed', 'applied']]);
  });

  it('lists once what both log and database know', () => {
    const { events } = trace(
      [
        fact(1, 0, deadLetter),
        fact(1, 2, { ...deadLetter, by: 'catalog-service-1' }),
        fact(2, 0, { kind: 'parked' }),
        fact(2, 1, { kind: 'parked', by: 'catalog-service-1' }),
      ],
      { version: 2, mark: 0 },
    );
    expect(events.map(({ steps }) => steps.length)).toEqual([1, 1]);
  });

  it.each<[string, number, Fact[]]>([
    ['not in topic', 0, [committed(1, 0)]],
    ['in topic', 0, [inTopic(1, 0)]],
    ['in retry', 0, [inTopic(1, 0), failed(1, 1, 1)]],
    ['parked', 0, [inTopic(1, 0), fact(1, 1, { kind: 'parked' })]],
    ['dead letter', 0, [failed(1, 1, 3), fact(1, 2, deadLetter)]],
    ['in retry', 0, [fact(1, 2, deadLetter), fact(1, 3, { kind: 'replayed' })]],
    ['dismissed', 0, [fact(1, 2, deadLetter), fact(1, 3, { kind: 'closed', how: 'dismissed' })]],
    [
      'skipped',
      1,
      [fact(1, 2, deadLetter), fact(1, 3, { kind: 'skipped', decidedBy: 'hand', reason: 'x' })],
    ],
    ['applied', 1, [fact(1, 2, deadLetter), fact(1, 3, { kind: 'replayed' }), applied(1, 4)]],
    [
      'applied',
      1,
      [inTopic(1, 0), fact(1, 1, { kind: 'parked', by: 'catalog-service-1' }), applied(1, 4)],
    ],
  ])('calls an event "%s" by mark %i and its last step', (outcome, mark, facts) => {
    expect(trace(facts, { mark }).events.map((one) => one.outcome)).toEqual([outcome]);
  });

  it('keeps two events apart that claim one version', () => {
    const { events } = trace([
      applied(1, 5),
      fact(1, 9, { ...deadLetter, reason: 'conflict', by: 'catalog-service-1' }, 'another'),
    ]);
    expect(events.map(({ eventId, outcome }) => [eventId, outcome])).toEqual([
      ['event-1', 'applied'],
      ['another', 'dead letter'],
    ]);
  });
});

describe('two events that claim a version which the mark has passed', () => {
  const invalid: Step = { ...deadLetter, reason: 'invalid-event' };
  const forged = (afterMs: number, step: Step): Fact => fact(1, afterMs, step, 'forged');
  const closed = (how: string): Step => ({ kind: 'closed', how });
  const record: Step = { kind: 'in topic', topic: 'board', partition: 0, offset: '9' };
  const outcomes = (facts: readonly Fact[], mark = 2): Record<string, string> =>
    Object.fromEntries(
      trace(facts, { version: mark, mark }).events.map((one) => [one.eventId ?? '-', one.outcome]),
    );

  it.each<[string, string, Fact[]]>([
    [
      'dismissed',
      'applied',
      [forged(1, invalid), forged(2, closed('dismissed')), inTopic(1, 3), applied(1, 4)],
    ],
    // No log says which one was applied.
    [
      'dismissed',
      'applied',
      [forged(0, record), forged(1, invalid), forged(2, closed('dismissed')), inTopic(1, 3)],
    ],
    ['dead letter', 'applied', [forged(1, invalid), inTopic(1, 3)]],
    [
      'in retry',
      'applied',
      [forged(1, invalid), forged(2, { kind: 'replayed' }), inTopic(1, 3), applied(1, 4)],
    ],
    // Its dead letter was closed because the mark has passed its version.
    ['superseded', 'applied', [forged(1, invalid), forged(5, closed('applied')), inTopic(1, 3)]],
    ['superseded', 'applied', [forged(0, record), inTopic(1, 3), applied(1, 4)]],
    [
      'superseded',
      'skipped',
      [forged(0, record), fact(1, 3, { kind: 'skipped', decidedBy: 'hand', reason: 'x' })],
    ],
    // The genuine one was a dead letter itself.
    [
      'dismissed',
      'applied',
      [
        forged(1, invalid),
        forged(2, closed('dismissed')),
        fact(1, 3, deadLetter),
        fact(1, 4, closed('applied')),
      ],
    ],
    // As they were, before and after the consumer's tables were built again.
    ['applied', 'applied', [forged(1, { kind: 'applied', by: 'c', attempt: 1 }), applied(1, 4)]],
    ['disputed', 'disputed', [forged(0, record), inTopic(1, 3)]],
    [
      'applied',
      'dead letter',
      [
        forged(1, { kind: 'applied', by: 'c', attempt: 1 }),
        fact(1, 3, { ...deadLetter, reason: 'conflict' }),
      ],
    ],
  ])('have the outcomes "%s" and "%s"', (other, own, facts) => {
    expect(outcomes(facts)).toMatchObject({ forged: other, 'event-1': own });
  });

  it('include the genuine one although no fact of it is left', () => {
    const facts = [forged(1, invalid), forged(2, closed('dismissed'))];
    expect(outcomes(facts, 1)).toEqual({ forged: 'dismissed', '-': 'applied' });
    expect(outcomes([...facts, forged(3, { kind: 'replayed' })], 1)).toEqual({ forged: 'applied' });
    expect(
      outcomes([...facts, forged(3, { kind: 'skipped', decidedBy: 'hand', reason: 'x' })], 1),
    ).toEqual({
      forged: 'skipped',
    });
  });

  it('have outcomes from facts before --since too', () => {
    const facts = [inTopic(1, 0), applied(1, 1), forged(2, invalid), forged(20, closed('applied'))];
    const { events } = trace(facts, { mark: 1, sinceMs: startMs + 15 });
    expect(events.map(({ eventId, outcome, steps }) => [eventId, outcome, steps.length])).toEqual([
      ['forged', 'superseded', 1],
    ]);
  });

  it('have independent outcomes while the mark has not passed the version', () => {
    const facts = [forged(1, invalid), forged(2, closed('dismissed')), inTopic(1, 3)];
    expect(trace(facts, { mark: 0 }).events.map((one) => one.outcome)).toEqual([
      'dismissed',
      'in topic',
    ]);
  });
});

describe('the text of a timeline', () => {
  const searched = { logFiles: 2, topic: 'board', fromMs: startMs };

  it('says what is not found, and where it was searched', () => {
    const timeline = trace([], { version: 1, mark: 1 });
    expect(formatTimeline(timeline, searched)).toContain(
      'not found: request, commit, applied (not in the logs given)',
    );
    expect(formatTimeline(timeline, searched)).toContain(
      '(not in topic board since 2026-01-02T03:04:05.000Z)',
    );
    expect(formatTimeline(timeline, { ...searched, logFiles: 0 })).toContain(
      '(no logs were given)',
    );
  });

  it('does not say that a record is not in a topic that was not read to its end', () => {
    const text = formatTimeline(
      trace([], { version: 1, mark: 1, isTopicReadToEnd: false }),
      searched,
    );
    expect(text).toContain('not found: record (topic board was not read to its end');
    expect(text).not.toContain('not in topic');
  });

  it('contains no control character of an error', () => {
    const text = formatTimeline(
      trace([fact(1, 0, { ...deadLetter, error: '\u001b[2Jgone\nnew line' })]),
      searched,
    );
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(text).not.toMatch(/\u001b|gone\n/);
  });
});

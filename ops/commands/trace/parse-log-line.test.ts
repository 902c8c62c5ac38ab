import { describe, expect, it } from 'vitest';
import { parseLogLine } from './parse-log-line.ts';

const aggregateId = '019b0000-0000-7000-8000-000000000001';
const eventId = '019b0000-0000-7000-8000-0000000000e1';
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const event = { version: 2, eventId, traceparent };
const head = { level: 30, time: '2026-01-02T03:04:05.030Z', pid: 1, name: 'catalog-service-2' };
const atMs = Date.parse(head.time);
const asked = { aggregateId, group: 'catalog-service' };
const delivery = {
  aggregateId,
  ...event,
  attempt: 1,
  takenFrom: 'source',
  partition: 2,
  offset: '7',
};

const parse = (fields: object) => parseLogLine(JSON.stringify({ ...head, ...fields }), asked);

describe('a line of a service', () => {
  it('of a committed change tells of the request and of the commit', () => {
    expect(
      parse({
        name: 'order-service',
        event: 'event.committed',
        aggregateId,
        ...event,
        eventType: 'BoardEdited',
        requestId: 'r-1',
        receivedAt: '2026-01-02T03:04:05.001Z',
        committedAt: '2026-01-02T03:04:05.020Z',
      }),
    ).toEqual([
      {
        ...event,
        eventType: 'BoardEdited',
        atMs: atMs - 29,
        step: { kind: 'received', by: 'order-service', requestId: 'r-1' },
      },
      {
        ...event,
        eventType: 'BoardEdited',
        atMs: atMs - 10,
        step: { kind: 'committed', by: 'order-service' },
      },
    ]);
  });

  it('of a committed change that MISSES fields tells what is there', () => {
    expect(parse({ event: 'event.committed', aggregateId, version: 1 })).toMatchObject([
      { version: 1, atMs, step: { kind: 'committed' } },
    ]);
  });

  it('of an EARLIER version names the board', () => {
    expect(parse({ event: 'board.committed', boardId: aggregateId, version: 1 })).toMatchObject([
      { version: 1, step: { kind: 'committed' } },
    ]);
  });

  it("of a consumer is told of ITS group alone; a line without a group may be anyone's", () => {
    const applied = { event: 'inbox.applied', events: [delivery] };
    expect(parse({ ...applied, group: 'catalog-service' })).toHaveLength(1);
    expect(parse(applied)).toHaveLength(1);
    expect(parse({ ...applied, group: 'comment-service' })).toEqual([]);
  });

  it('of many applied events tells of THIS board only', () => {
    const other = { ...delivery, aggregateId: aggregateId.replace('1', '2') };
    expect(
      parse({ event: 'inbox.applied', events: [other, { ...delivery, attempt: 2 }, other] }),
    ).toMatchObject([
      { ...event, atMs, step: { kind: 'applied', by: 'catalog-service-2', attempt: 2 } },
    ]);
    expect(parse({ event: 'inbox.parked', events: [other, delivery] })).toMatchObject([
      { ...event, step: { kind: 'parked', by: 'catalog-service-2' } },
    ]);
  });

  it.each([
    [
      { event: 'inbox.retry', ...delivery, tier: 1, error: 'E' },
      { kind: 'failed', attempt: 1, tier: 1, error: 'E' },
    ],
    [
      { event: 'inbox.postponed', ...delivery, attempt: 4, error: 'E' },
      { kind: 'postponed', attempt: 4, error: 'E' },
    ],
    [
      {
        event: 'inbox.dead-letter',
        ...delivery,
        reason: 'attempts-exhausted',
        attempts: 4,
        error: 'E',
        dlqOffset: '9',
      },
      {
        kind: 'dead letter',
        reason: 'attempts-exhausted',
        attempts: 4,
        error: 'E',
        dlqOffset: '9',
      },
    ],
  ])('of a failure tells what was tried: %j', (line, step) => {
    expect(parse(line)).toMatchObject([
      { ...event, atMs, step: { ...step, by: 'catalog-service-2' } },
    ]);
    expect(parse({ ...line, aggregateId: 'another' })).toEqual([]);
  });

  it('is understood behind the words that container tools put in front', () => {
    const line = JSON.stringify({ ...head, event: 'inbox.applied', events: [delivery] });
    expect(parseLogLine(`catalog-service-2-1  | ${line}`, asked)).toHaveLength(1);
  });

  it.each([
    ['no JSON', `${aggregateId} nonsense`],
    ['cut JSON', `{"event":"inbox.applied","events":[{"aggregateId":"${aggregateId}"`],
    ['another shape', JSON.stringify({ ...head, event: 'inbox.applied', events: aggregateId })],
    ['no version', JSON.stringify({ ...head, event: 'event.committed', aggregateId })],
    ['no time', JSON.stringify({ event: 'event.committed', aggregateId, version: 1 })],
    [
      'another event',
      JSON.stringify({ ...head, event: 'http.request', path: `/boards/${aggregateId}` }),
    ],
    ['JSON that is no object', `["${aggregateId}"]`],
  ])('with %s tells NOTHING', (_what, line) => {
    expect(parseLogLine(line, asked)).toEqual([]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLogs, parseLogLine } from './read-logs.ts';

const aggregateId = '019b0000-0000-7000-8000-000000000001';
const eventId = '019b0000-0000-7000-8000-0000000000e1';
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const event = { version: 2, eventId, traceparent };
const head = { level: 30, time: '2026-01-02T03:04:05.030Z', pid: 1, name: 'catalog-service-2' };
const atMs = Date.parse(head.time);
const subject = { aggregateId, group: 'catalog-service' };
const delivery = {
  aggregateId,
  ...event,
  attempt: 1,
  takenFrom: 'source',
  partition: 2,
  offset: '7',
};

const parse = (fields: object) => parseLogLine(JSON.stringify({ ...head, ...fields }), subject);

describe('a log line of a service', () => {
  it('gives request and commit when it is about a committed change', () => {
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

  it('gives what is there when a committed change misses fields', () => {
    expect(parse({ event: 'event.committed', aggregateId, version: 1 })).toMatchObject([
      { version: 1, atMs, step: { kind: 'committed' } },
    ]);
  });

  it('is understood with the former name of the aggregate id', () => {
    expect(parse({ event: 'board.committed', boardId: aggregateId, version: 1 })).toMatchObject([
      { version: 1, step: { kind: 'committed' } },
    ]);
  });

  it('is ignored when it is of another group, and used when it names no group', () => {
    const applied = { event: 'inbox.applied', events: [delivery] };
    expect(parse({ ...applied, group: 'catalog-service' })).toHaveLength(1);
    expect(parse(applied)).toHaveLength(1);
    expect(parse({ ...applied, group: 'comment-service' })).toEqual([]);
  });

  it('gives only the events of the traced aggregate', () => {
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
  ])('gives the attempt of a failure: %j', (line, step) => {
    expect(parse(line)).toMatchObject([
      { ...event, atMs, step: { ...step, by: 'catalog-service-2' } },
    ]);
    expect(parse({ ...line, aggregateId: 'another' })).toEqual([]);
  });

  it('is understood behind the prefix of a container tool', () => {
    const line = JSON.stringify({ ...head, event: 'inbox.applied', events: [delivery] });
    expect(parseLogLine(`catalog-service-2-1  | ${line}`, subject)).toHaveLength(1);
  });

  it.each([
    ['not JSON', `${aggregateId} nonsense`],
    ['cut JSON', `{"event":"inbox.applied","events":[{"aggregateId":"${aggregateId}"`],
    ['in another format', JSON.stringify({ ...head, event: 'inbox.applied', events: aggregateId })],
    ['without a version', JSON.stringify({ ...head, event: 'event.committed', aggregateId })],
    ['without a time', JSON.stringify({ event: 'event.committed', aggregateId, version: 1 })],
    [
      'about another event',
      JSON.stringify({ ...head, event: 'http.request', path: `/boards/${aggregateId}` }),
    ],
    ['JSON that is not an object', `["${aggregateId}"]`],
  ])('gives nothing when it is %s', (_what, line) => {
    expect(parseLogLine(line, subject)).toEqual([]);
  });
});

it('logs are read once for several consumers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'read-logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'service.log');
  writeFileSync(file, 'of a1\nof another\nof a1 again\n');
  const logs = openLogs({ files: [file], aggregateId: 'a1' });
  expect(await logs.lines(0)).toEqual(['of a1', 'of a1 again']);
  rmSync(file);
  expect(await logs.lines(0)).toEqual(['of a1', 'of a1 again']);
});

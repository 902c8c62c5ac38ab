import { describe, expect, it } from 'vitest';
import { toHeaders } from '../../test/support/to-headers.ts';
import type { SourceRecord } from '../record.ts';
import { isRecordOf, toDeadLetter } from './record-formats.ts';
import { deadLetterHeaders } from './headers.ts';

const origin = { topic: 'thing', partition: 1, offset: '9007199254740993' };
const from = (topic: string, partition: string, offset: string) => ({
  'kafka_dlt-original-topic': topic,
  'kafka_dlt-original-partition': partition,
  'kafka_dlt-original-offset': offset,
});

it('recognizes an event by its id, wherever this copy of it came from', () => {
  const deadLetter = { eventId: 'e1', origin };
  expect(
    isRecordOf(deadLetter, toHeaders({ id: Buffer.from('e1'), ...from('thing', '2', '7') })),
  ).toBe(true);
  expect(
    isRecordOf(
      deadLetter,
      toHeaders({ id: Buffer.from('e2'), ...from('thing', '1', '9007199254740993') }),
    ),
  ).toBe(false);
  expect(isRecordOf(deadLetter, toHeaders(from('thing', '1', '9007199254740993')))).toBe(false);
});

it('recognizes a record without identity by its place in the source topic', () => {
  const deadLetter = { eventId: null, origin };
  expect(isRecordOf(deadLetter, toHeaders(from('thing', '1', '9007199254740993')))).toBe(true);
  expect(isRecordOf(deadLetter, toHeaders(from('other', '1', '9007199254740993')))).toBe(false);
  expect(isRecordOf(deadLetter, toHeaders(from('thing', '2', '9007199254740993')))).toBe(false);
  expect(isRecordOf(deadLetter, toHeaders(from('thing', '1', '9007199254740992')))).toBe(false);
});

describe('dead letters', () => {
  const record: SourceRecord = {
    origin: { topic: 'board', partition: 2, offset: '17', timestampMs: 1_000 },
    key: Buffer.from('k'),
    value: Buffer.from([0, 1, 2]),
    headers: toHeaders({ id: 'e', aggregateId: 'a', version: '1', traceparent: null }),
  };

  it('hold the untouched record, the reason, the origin and the times, with bounded text', () => {
    const error = new TypeError('y'.repeat(5_000));
    const failure = {
      record,
      reason: 'attempts-exhausted',
      error,
      attempts: 4,
      firstFailedAtMs: 3_000,
      bare: undefined,
    } as const;
    const deadLetter = toDeadLetter('g', failure, 9_000);
    expect(deadLetter).toMatchObject({
      topic: 'g.dlq',
      partition: 2,
      key: record.key,
      value: record.value,
    });
    expect(deadLetter.headers).toMatchObject({
      id: 'e',
      [deadLetterHeaders.reason]: 'attempts-exhausted',
      [deadLetterHeaders.originOffset]: '17',
      [deadLetterHeaders.errorClass]: 'TypeError',
      [deadLetterHeaders.firstFailedAt]: '3000',
      [deadLetterHeaders.lastFailedAt]: '9000',
    });
    expect(
      Buffer.byteLength(String(deadLetter.headers[deadLetterHeaders.stack])),
    ).toBeLessThanOrEqual(4_096);
  });

  it('describe any thrown value: a string, undefined', () => {
    const failure = {
      record,
      reason: 'attempts-exhausted',
      attempts: 4,
      firstFailedAtMs: undefined,
      bare: undefined,
    } as const;
    expect(toDeadLetter('g', { ...failure, error: 'oops' }, 1).headers).toMatchObject({
      [deadLetterHeaders.errorMessage]: 'oops',
    });
    expect(toDeadLetter('g', { ...failure, error: undefined }, 1).headers).toMatchObject({
      [deadLetterHeaders.errorClass]: 'undefined',
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { Delivery } from '../record.ts';
import { defaultSettings } from '../settings.ts';
import { fromRetry } from '../fail/retry-record.ts';
import { deadLetterHeaders, retryHeaders, sendableHeaders, sourceHeaders } from '../fail/headers.ts';
import { toDeadLetter } from '../fail/dead-letter-record.ts';
import { toHeaders } from '../../test/support/to-headers.ts';
import { retryDelayMs, toRetry } from '../fail/retry-record.ts';

const delivery: Delivery = {
  kind: 'event',
  identity: { aggregateId: 'a', version: 1, eventId: 'e' },
  takenFrom: 'source',
  attempt: 1,
  firstFailedAtMs: undefined,
  replayed: false,
  record: {
    origin: { topic: 'board', partition: 2, offset: '17', timestampMs: 1_000 },
    key: Buffer.from('k'),
    value: Buffer.from([0, 1, 2]),
    headers: toHeaders({ id: 'e', aggregateId: 'a', version: '1', traceparent: null }),
  },
};

/** What a broker would give back of a routed record. */
const stored = (routed: ReturnType<typeof toDeadLetter>) => ({
  origin: { topic: routed.topic, partition: routed.partition, offset: '5', timestampMs: 9_000 },
  key: routed.key,
  value: routed.value,
  headers: toHeaders(routed.headers),
});

describe('retries', () => {
  it('go to the next tier, on the partition of the source', () => {
    const retry = toRetry('g', defaultSettings, delivery, new Error('x'), 5_000, () => 0.5);
    expect(retry).toMatchObject({
      topic: 'g.retry.1',
      partition: 2,
      headers: { [retryHeaders.dueAt]: '6000', [retryHeaders.attempts]: '1' },
    });
  });

  it('end after the last attempt', () => {
    expect(toRetry('g', defaultSettings, { ...delivery, attempt: 4 }, new Error('x'), 0, Math.random)).toBeUndefined();
  });

  it('wait 1 s, 2 s, 4 s, varied by at most 20 %', () => {
    expect([1, 2, 3].map((attempt) => retryDelayMs(defaultSettings, attempt, () => 0.5))).toEqual([
      1_000, 2_000, 4_000,
    ]);
    expect(retryDelayMs(defaultSettings, 1, () => 0)).toBe(800);
    expect(retryDelayMs(defaultSettings, 1, () => 1)).toBe(1_200);
  });

  it('keep origin, bytes, headers and first failure however often they travel, WITHOUT growing', () => {
    let current: Delivery = delivery;
    const sizes: number[] = [];
    for (const attempt of [1, 2, 3]) {
      const retry = toRetry('g', defaultSettings, current, new Error('x'), attempt * 10_000, () => 0.5);
      if (!retry) throw new Error('no retry');
      sizes.push(JSON.stringify(retry.headers).length);
      const back = fromRetry(stored(retry));
      if (!('delivery' in back)) throw new Error(back.problem);
      current = back.delivery;
      expect(current.record).toEqual(delivery.record);
      expect(current).toMatchObject({ attempt: attempt + 1, takenFrom: 'retry', firstFailedAtMs: 10_000 });
    }
    expect(new Set(sizes).size).toBe(1);
  });
});

describe('dead letters', () => {
  it('say why, whence and since when, with bounded text, beside the untouched record', () => {
    const error = new TypeError('y'.repeat(5_000));
    const failure = {
      record: delivery.record,
      reason: 'attempts-exhausted',
      error,
      attempts: 4,
      firstFailedAtMs: 3_000,
      bare: undefined,
    } as const;
    const letter = toDeadLetter('g', failure, 9_000);
    expect(letter).toMatchObject({
      topic: 'g.dlq',
      partition: 2,
      key: delivery.record.key,
      value: delivery.record.value,
    });
    expect(letter.headers).toMatchObject({
      id: 'e',
      [deadLetterHeaders.reason]: 'attempts-exhausted',
      [deadLetterHeaders.originOffset]: '17',
      [deadLetterHeaders.errorClass]: 'TypeError',
      [deadLetterHeaders.firstFailedAt]: '3000',
      [deadLetterHeaders.lastFailedAt]: '9000',
    });
    expect(Buffer.byteLength(String(letter.headers[deadLetterHeaders.stack]))).toBeLessThanOrEqual(4_096);
  });

  it('describe whatever was thrown: a string, undefined', () => {
    const failure = {
      record: delivery.record,
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

describe('headers of a source record', () => {
  const many = (count: number) => toHeaders(Object.fromEntries(Array.from({ length: count }, (_, n) => [`h${n}`, ''])));

  it('travel packed where ours beside them would be more than are read', () => {
    const sent = sendableHeaders(many(995));
    expect(Object.keys(sent)).toEqual(['inbox-headers']);
    expect(sourceHeaders(toHeaders({ ...sent, [retryHeaders.attempts]: '1' }))).toEqual(many(995));
  });

  it('are refused where they are read, not where they are stored, when a list of null values makes too many of them', () => {
    const forged = toHeaders({ id: 'e', aggregateId: 'a', version: '1', 'inbox-null-headers': 'a,'.repeat(1_001) });
    expect(sourceHeaders(forged).problem).toContain('at most 1000 are read');
  });
});

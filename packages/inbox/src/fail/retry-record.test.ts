import { describe, expect, it } from 'vitest';
import type { Delivery } from '../record.ts';
import { defaultSettings } from '../settings.ts';
import { toHeaders } from '../../test/support/to-headers.ts';
import { retryHeaders } from './headers.ts';
import type { RoutedRecord } from './publisher.ts';
import { readRetry, toRetry } from './record-formats.ts';

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
const stored = (routed: RoutedRecord) => ({
  origin: { topic: routed.topic, partition: routed.partition, offset: '5', timestampMs: 9_000 },
  key: routed.key,
  value: routed.value,
  headers: toHeaders(routed.headers),
});

const attempt = { group: 'g', settings: defaultSettings, error: new Error('x'), random: () => 0.5 };

describe('retries', () => {
  it('go to the next tier, on the partition of the source', () => {
    const retry = toRetry({ ...attempt, delivery, attempts: 1, nowMs: 5_000 });
    expect(retry).toMatchObject({
      topic: 'g.retry.1',
      partition: 2,
      headers: { [retryHeaders.dueAt]: '6000', [retryHeaders.attempts]: '1' },
    });
  });

  it('wait 1 s, 2 s, 4 s, varied by at most 20 %', () => {
    const delayMs = (attempts: number, random: number): number => {
      const { headers } = toRetry({
        ...attempt,
        delivery,
        attempts,
        nowMs: 0,
        random: () => random,
      });
      return Number(headers[retryHeaders.dueAt]);
    };
    expect([1, 2, 3].map((attempts) => delayMs(attempts, 0.5))).toEqual([1_000, 2_000, 4_000]);
    expect(delayMs(1, 0)).toBe(800);
    expect(delayMs(1, 1)).toBe(1_200);
  });

  it('keep origin, bytes, headers and first failure however often they travel, without growing', () => {
    let current: Delivery = delivery;
    const sizes: number[] = [];
    for (const attempts of [1, 2, 3]) {
      const retry = toRetry({ ...attempt, delivery: current, attempts, nowMs: attempts * 10_000 });
      sizes.push(JSON.stringify(retry.headers).length);
      const back = readRetry(stored(retry));
      if (back.kind !== 'delivery') throw new Error(back.problem);
      current = back.delivery;
      expect(current.record).toEqual(delivery.record);
      expect(current).toMatchObject({
        attempt: attempts + 1,
        takenFrom: 'retry',
        firstFailedAtMs: 10_000,
      });
    }
    expect(new Set(sizes).size).toBe(1);
  });
});

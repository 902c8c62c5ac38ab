import { expect, it } from 'vitest';
import type { SourceRecord } from '../record.ts';
import { toHeaders } from '../../test/support/to-headers.ts';
import { toDeadLetter } from './record-formats.ts';
import { retryHeaders } from './headers.ts';
import { toReplay } from './record-formats.ts';
import { readRetry } from './record-formats.ts';

const source: SourceRecord = {
  origin: { topic: 'things', partition: 2, offset: '7', timestampMs: 1_000 },
  key: Buffer.from('key'),
  value: Buffer.from([0, 1, 2, 255]),
  headers: toHeaders({ id: 'event', aggregateId: 'a', version: '3', traceparent: null }),
};

/** Through the DLQ and back, as Kafka hands it out again. */
function replayed() {
  const failure = {
    record: source,
    reason: 'attempts-exhausted',
    error: new Error('no'),
    attempts: 4,
  } as const;
  const dead = toDeadLetter(
    'group',
    { ...failure, firstFailedAtMs: 2_000, bare: undefined },
    3_000,
  );
  const deadLetter = {
    ...dead,
    headers: toHeaders(dead.headers),
    origin: { topic: dead.topic, partition: dead.partition, offset: '41', timestampMs: 3_001 },
  };
  return toReplay('group', deadLetter, 9_000);
}

it('goes to the first retry topic of its own group, same partition, key and value', () => {
  expect(replayed()).toMatchObject({
    topic: 'group.retry.1',
    partition: 2,
    key: source.key,
    value: source.value,
  });
});

it('arrives as attempt 1, due now, replayed, with the headers and the origin that it had in the source topic', () => {
  const record = replayed();
  const origin = {
    topic: record.topic,
    partition: record.partition,
    offset: '12',
    timestampMs: 9_001,
  };
  const retry = readRetry({ ...record, headers: toHeaders(record.headers), origin });
  if (retry.kind !== 'delivery') throw new Error(retry.problem);
  expect(retry.dueAtMs).toBe(9_000);
  expect(retry.delivery).toMatchObject({ attempt: 1, replayed: true, firstFailedAtMs: 2_000 });
  expect(retry.delivery.record.origin).toEqual(source.origin);
  expect(retry.delivery.record.headers).toEqual(source.headers);
});

it('does not grow: it has no header that the DLQ added', () => {
  const { headers } = replayed();
  expect(headers[retryHeaders.attempts]).toBe('0');
  expect(
    Object.keys(headers).filter((name) => name.startsWith('kafka_dlt') || name === 'inbox-reason'),
  ).toEqual([]);
});

import { expect, it } from 'vitest';
import { toHeaders } from '../../test/support/to-headers.ts';
import { InvalidEventError } from '../errors.ts';
import type { Delivery } from '../record.ts';
import { classifyFailures } from './route-failures.ts';

const maxAttempts = 4;

/** `eventId` says what is expected of it. */
const delivery = (eventId: string, attempt = 1): Delivery => ({
  kind: 'event',
  identity: { aggregateId: eventId, version: 1, eventId },
  takenFrom: attempt === 1 ? 'source' : 'retry',
  attempt,
  firstFailedAtMs: undefined,
  replayed: false,
  record: {
    origin: { topic: 't', partition: 0, offset: '0', timestampMs: 0 },
    key: null,
    value: null,
    headers: toHeaders({}),
  },
});

function classify(failures: Partial<Parameters<typeof classifyFailures>[0]>) {
  const classes = classifyFailures(
    { failed: [], invalid: [], conflicts: [], ...failures },
    maxAttempts,
  );
  const ids = (list: readonly { readonly delivery: Delivery }[]) =>
    list.map((one) => one.delivery.identity.eventId);
  return {
    retryable: ids(classes.retryable),
    spent: ids(classes.spent),
    invalid: ids(classes.invalid),
    conflicts: classes.conflicts.map(({ identity }) => identity.eventId),
  };
}

const none = { retryable: [], spent: [], invalid: [], conflicts: [] };
const error = new Error('planted');

it('ends the retries of an event with its last attempt', () => {
  const failed = [1, 2, 3, 4, 5].map((attempt) => ({
    delivery: delivery(`attempt-${attempt}`, attempt),
    error,
  }));
  expect(classify({ failed })).toEqual({
    ...none,
    retryable: ['attempt-1', 'attempt-2', 'attempt-3'],
    spent: ['attempt-4', 'attempt-5'],
  });
});

it('retries no event that its handler calls invalid, whatever attempts are left', () => {
  const invalid = new InvalidEventError('planted');
  const failed = [1, 4].map((attempt) => ({
    delivery: delivery(`called-${attempt}`, attempt),
    error: invalid,
  }));
  expect(
    classify({ failed, invalid: [{ delivery: delivery('undecodable'), error: invalid }] }),
  ).toEqual({
    ...none,
    invalid: ['undecodable', 'called-1', 'called-4'],
  });
});

it('keeps every failure, in one class and in order', () => {
  const failed = [
    { delivery: delivery('a', 4), error },
    { delivery: delivery('b'), error: new InvalidEventError('planted') },
    { delivery: delivery('c'), error },
    { delivery: delivery('d', 4), error: undefined },
    { delivery: delivery('e', 3), error: 'a string' },
  ];
  expect(classify({ failed, conflicts: [delivery('f', 4), delivery('g')] })).toEqual({
    retryable: ['c', 'e'],
    spent: ['a', 'd'],
    invalid: ['b'],
    conflicts: ['f', 'g'],
  });
});

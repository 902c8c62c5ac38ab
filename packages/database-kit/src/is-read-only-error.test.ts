import { UnavailableError } from '@board/service-kit';
import { QueryFailedError } from 'typeorm';
import { expect, it } from 'vitest';
import { isReadOnlyError, readOnlyErrors } from './is-read-only-error.ts';

it.each(Object.entries(readOnlyErrors))('knows %s, %s, by number and by name, wrapped or not', (errno, code) => {
  const byNumber = Object.assign(new Error('no'), { errno: Number(errno) });
  const byName = Object.assign(new Error('no'), { code });
  const wrapped = new UnavailableError('away', { cause: new QueryFailedError('INSERT', [], byNumber) });
  expect([byNumber, byName, wrapped].map(isReadOnlyError)).toEqual([true, true, true]);
});

it('takes no other failure for a read-only server', () => {
  const circle: { cause?: unknown } = {};
  circle.cause = circle;
  const deadlock = Object.assign(new Error('no'), { errno: 1213, code: 'ER_LOCK_DEADLOCK' });
  expect([deadlock, circle, undefined, null, 'text'].map(isReadOnlyError)).toEqual(Array(5).fill(false));
});

import { expect, it } from 'vitest';
import { infrastructureReason } from './database-errors.ts';

it('finds the code of the driver under what TypeORM and a handler wrapped around it', () => {
  const driverError = Object.assign(new Error('x'), { code: 'ER_OPTION_PREVENTS_STATEMENT' });
  const wrapped = new Error('could not save', { cause: Object.assign(new Error('query failed'), { driverError }) });
  expect(infrastructureReason(wrapped)).toBe('the database is read-only');
});

it("leaves a handler's own errors to the event: constraint, TypeError, a thrown string, nothing at all", () => {
  for (const error of [
    Object.assign(new Error('x'), { code: 'ER_DUP_ENTRY' }),
    new TypeError('x'),
    'ECONNREFUSED',
    undefined,
    null,
  ])
    expect(infrastructureReason(error)).toBeUndefined();
});

it('survives a cause that points back at itself', () => {
  const error: Error & { cause?: unknown } = new Error('x');
  error.cause = error;
  expect(infrastructureReason(error)).toBeUndefined();
});

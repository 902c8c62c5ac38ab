import { QueryFailedError } from 'typeorm';
import { expect, it } from 'vitest';
import { describeServerFault } from './driver-errors.ts';

const server = { host: 'db', port: 3306 };
const thrown = (message: string, fields: object): Error =>
  Object.assign(new Error(message), fields);
const readOnly = thrown('running with the --read-only option', {
  code: 'ER_OPTION_PREVENTS_STATEMENT',
  errno: 1290,
  sqlState: 'HY000',
});

it.each([
  [
    thrown('connect ETIMEDOUT', { code: 'ETIMEDOUT', fatal: true }),
    'the server does not answer (connect ETIMEDOUT)',
  ],
  [
    new QueryFailedError(
      'SELECT 1',
      [],
      thrown('Query inactivity timeout', { code: 'PROTOCOL_SEQUENCE_TIMEOUT' }),
    ),
    'the server does not answer (Query inactivity timeout)',
  ],
  [
    new Error('the database is read-only', { cause: new QueryFailedError('INSERT', [], readOnly) }),
    'the database is read-only (running with the --read-only option)',
  ],
  [new Error('Queue limit reached.'), 'every pooled connection is busy (Queue limit reached.)'],
])('names the server and what the driver said: %s', (error, text) => {
  expect(describeServerFault(error, server)).toBe(`MySQL at db:3306: ${text}`);
});

it('blames MySQL neither for another server that is away, nor for a statement, nor for a handler', () => {
  const registry = new TypeError('fetch failed', {
    cause: thrown('connect ECONNREFUSED', { code: 'ECONNREFUSED' }),
  });
  const missing = thrown('x', { code: 'ER_NO_SUCH_TABLE', errno: 1146, sqlState: '42S02' });
  for (const error of [
    registry,
    new QueryFailedError('SELECT', [], missing),
    new TypeError('x'),
    undefined,
  ])
    expect(describeServerFault(error, server)).toBeUndefined();
});

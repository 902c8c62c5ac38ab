import { createRequire } from 'node:module';
import { QueryFailedError } from 'typeorm';
import { expect, it } from 'vitest';
import {
  classifyDriverError,
  classifyError,
  describeServerFault,
  isReadOnlyError,
  type DriverErrorKind,
} from './driver-errors.ts';
import { driverErrorCodes } from './error-codes.ts';

const requireFrom = createRequire(import.meta.url);
const constants = requireFrom(
  `${requireFrom.resolve('mysql2/package.json').replace(/package\.json$/, '')}lib/constants/errors.js`,
) as Readonly<Record<string, number>>;

/** What only other servers send; the driver's list is MySQL's. */
const otherServers = ['ER_CONNECTION_KILLED', 'ER_STATEMENT_TIMEOUT'];

/** As the driver makes it of a server's error packet. */
function serverError(errno: number, message = 'x', sqlState = 'HY000'): Error {
  const names = constants as unknown as Readonly<Record<number, string>>;
  return Object.assign(new Error(message), {
    code: names[errno],
    errno,
    sqlState,
    sqlMessage: message,
  });
}

it('the table has every code once, with the number that MySQL gives it', () => {
  const all = Object.values(driverErrorCodes)
    .flatMap((reasons) => Object.values(reasons))
    .flatMap((codes) => Object.entries(codes));
  for (const [name, number] of all)
    if (name.startsWith('ER_') && !otherServers.includes(name))
      expect([name, constants[name]]).toEqual([name, number]);
  expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
});

const cases: readonly (readonly [string, Error, DriverErrorKind | undefined])[] = [
  ['the storage engine fails', serverError(1030), 'infrastructure'],
  ['the lock table is full', serverError(1206), 'infrastructure'],
  ['the transaction is larger than the binlog cache', serverError(1197), 'infrastructure'],
  ['the server is in offline mode', serverError(3032), 'read-only'],
  ['the disk is full and nothing waits', serverError(3675), 'infrastructure'],
  ['the connection was killed (MariaDB)', serverError(1927), 'infrastructure'],
  ['a statement took longer than max_execution_time', serverError(3024), 'infrastructure'],
  ['a temporary file cannot be written', serverError(3), 'infrastructure'],
  ['ProxySQL found no server in time', serverError(9001), 'infrastructure'],
  ['MySQL Router cannot reach a server', serverError(2003), 'infrastructure'],
  ['a code of a proxy that no list has', serverError(20_001), 'infrastructure'],
  ['InnoDB is read-only', serverError(1874), 'read-only'],
  ['the server became a replica', serverError(1290), 'read-only'],
  ['the member is no primary', serverError(4049), 'read-only'],
  ['the member is not online', serverError(3100), 'read-only'],
  ['a deadlock', serverError(1213, 'x', '40001'), 'lock'],
  ['NOWAIT met a lock', serverError(3572), 'lock'],
  ['a column is missing', serverError(1054, 'x', '42S22'), 'schema'],
  ['a column has no default', serverError(1364), 'schema'],
  ['a column right is missing', serverError(1143, 'x', '42000'), 'schema'],
  ['a routine is missing', serverError(1305, 'FUNCTION a.b does not exist', '42000'), 'schema'],
  [
    'a savepoint is gone',
    serverError(1305, 'SAVEPOINT handling does not exist', '42000'),
    'infrastructure',
  ],
  ['a duplicate key', serverError(1062, 'x', '23000'), undefined],
  ['a packet too large for the server', serverError(1153, 'x', '08S01'), undefined],
  ['a value that is too long', serverError(1406, 'x', '22001'), undefined],
  [
    'a trigger refuses a row under a number of its own',
    serverError(30_001, 'no', '45000'),
    undefined,
  ],
  [
    'a trigger refuses a row under the number of a full disk',
    serverError(1021, 'no', '45000'),
    undefined,
  ],
  [
    'a value that quotes a driver message',
    serverError(1062, "Duplicate entry 'Pool is closed.'", '23000'),
    undefined,
  ],
  ["a service's own error that quotes one", new Error('title: Queue limit reached.'), undefined],
  ['the pool is exhausted', new Error('Queue limit reached.'), 'infrastructure'],
  [
    'a refused connection',
    Object.assign(new Error('x'), { code: 'ECONNREFUSED', errno: -111 }),
    'infrastructure',
  ],
  [
    'an error of Node with a code that is no table',
    Object.assign(new Error('x'), { code: 'constructor' }),
    undefined,
  ],
];

it.each(cases)('classifyDriverError knows the error when %s', (_, error, kind) => {
  expect(classifyDriverError(error)?.kind).toBe(kind);
  expect(isReadOnlyError(error)).toBe(kind === 'read-only');
});

it('classifyDriverError finds the code of the driver below the errors of TypeORM and a handler', () => {
  const wrapped = new Error('could not save', {
    cause: new QueryFailedError('INSERT', [], serverError(1290)),
  });
  expect(classifyDriverError(wrapped)).toEqual({
    kind: 'read-only',
    reason: 'the database is read-only',
    code: 'ER_OPTION_PREVENTS_STATEMENT',
  });
});

it('classifyDriverError does not classify what a handler throws that is no error of the driver', () => {
  const circular: Error & { cause?: unknown } = new Error('x');
  circular.cause = circular;
  const hostile = Object.defineProperty(new Error('x'), 'code', {
    get: () => {
      throw new Error('planted');
    },
  });
  for (const error of [new TypeError('x'), 'ECONNREFUSED', undefined, null, circular, hostile])
    expect(classifyDriverError(error)).toBeUndefined();
});

it('classifyError classifies a failed query for the producer', () => {
  const fault = (error: Error) => classifyError(new QueryFailedError('INSERT', [], error));
  expect(fault(serverError(1213, 'x', '40001'))).toBe('again');
  expect(fault(serverError(1054, 'x', '42S22'))).toBe('statement');
  expect(fault(serverError(3819))).toBe('statement');
  expect(fault(serverError(1644, 'no', '45000'))).toBe('statement');
  expect(fault(serverError(1290))).toBe('unavailable');
  // Its SQLSTATE would blame the statement.
  expect(fault(serverError(1226, 'x', '42000'))).toBe('unavailable');
  expect(fault(serverError(4999))).toBe('unavailable');
});

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
])('describeServerFault names the server and the message of the driver: %s', (error, text) => {
  expect(describeServerFault(error, server)).toBe(`MySQL at db:3306: ${text}`);
});

it('describeServerFault is undefined for another server that is away, a statement and a handler', () => {
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

import { QueryFailedError } from 'typeorm';
import { driverErrorCodes, type DriverError, type DriverErrorKind } from './error-codes.ts';
import type { Connection } from './open-session.ts';

export type { DriverError, DriverErrorKind } from './error-codes.ts';

/**
 * Whole ranges of numbers, for what stands in no list: no such number is about a statement or its
 * data.
 */
const ranges: readonly (readonly [from: number, to: number, reason: string])[] = [
  [1, 999, 'the database cannot read or write its files'],
  [2_000, 2_999, 'a proxy cannot reach the database'],
  [9_000, 9_999, 'a proxy cannot reach the database'],
  // The server itself sends none from here on; proxies do.
  [10_000, 65_535, 'a proxy or the server itself fails'],
];

/**
 * What the driver throws without any code, word for word: an event's text that is quoted in an
 * error must not look like it.
 */
const driverMessages: readonly (readonly [RegExp, DriverError])[] = [
  [
    /^(?:Can't (?:add new command when connection is|write) in closed state|Pool is closed\.|Connection lost: The server closed the connection\.)$/,
    infrastructure('the connection was cut', 'PROTOCOL_CONNECTION_LOST'),
  ],
  [
    /^(?:No connections available\.|Queue limit reached\.)$/,
    infrastructure('every pooled connection is busy', 'POOL_EXHAUSTED'),
  ],
];

/**
 * The same number as that of a missing routine: the handler swallowed a deadlock, or ended the
 * transaction itself.
 */
const savepointGone = /^SAVEPOINT .* does not exist$/;

function infrastructure(reason: string, code: string): DriverError {
  return { kind: 'infrastructure', reason, code };
}

const byName = new Map<string, DriverError>();
const byNumber = new Map<number, DriverError>();
for (const [kind, reasons] of Object.entries(driverErrorCodes))
  for (const [reason, codes] of Object.entries(reasons))
    for (const [code, number] of Object.entries(codes)) {
      const known = { kind: kind as DriverErrorKind, reason, code };
      byName.set(code, known);
      if (number > 0) byNumber.set(number, known);
    }

/**
 * What the error, or the first of its causes that the table knows, means; undefined when the table
 * knows none.
 */
export function classifyDriverError(error: unknown): DriverError | undefined {
  try {
    for (const link of causes(error)) {
      const known = classifyLink(link);
      if (known !== undefined) return known;
    }
  } catch {
    // Handlers can throw any value: an error whose properties cannot be read is theirs.
  }
  return undefined;
}

/** The server takes no writes: the connection must not be used again. */
export function isReadOnlyError(error: unknown): boolean {
  return classifyDriverError(error)?.kind === 'read-only';
}

/**
 * At COMMIT the server answers with these instead of committing; other errors may come after the
 * decision to commit.
 */
const refusesCommit = new Set(['ER_OPTION_PREVENTS_STATEMENT', 'ER_RUN_HOOK_ERROR']);

/** The server has rolled the transaction back, although COMMIT was the statement that failed. */
export function isRefusedCommit(error: unknown): boolean {
  const known = classifyDriverError(error);
  return known !== undefined && (known.kind === 'lock' || refusesCommit.has(known.code));
}

function classifyLink(link: object): DriverError | undefined {
  const { code, errno, sqlState, message } = link as Readonly<Record<string, unknown>>;
  const isServerError = typeof sqlState === 'string' && typeof errno === 'number';
  // What a trigger or a routine SIGNALs is about the data, whatever number it gives itself.
  if (isServerError && sqlState.startsWith('45')) return undefined;
  // By number first: the driver has no name for what is newer than itself, nor for a proxy's own
  // codes.
  const known =
    (typeof errno === 'number' ? byNumber.get(errno) : undefined) ??
    (typeof code === 'string' ? byName.get(code) : undefined);
  if (
    known?.code === 'ER_SP_DOES_NOT_EXIST' &&
    typeof message === 'string' &&
    savepointGone.test(message)
  )
    return infrastructure('the handler lost or ended the transaction', known.code);
  if (known) return known;
  const range = isServerError
    ? ranges.find(([from, to]) => errno >= from && errno <= to)
    : undefined;
  if (range) return infrastructure(range[2], String(errno));
  if (typeof code === 'string' || typeof message !== 'string') return undefined;
  return driverMessages.find(([pattern]) => pattern.test(message))?.[1];
}

/** The error and what it wraps, at most ten deep: a cause may point back at itself. */
function* causes(error: unknown): Generator<object> {
  let link = error;
  for (let depth = 0; depth < 10 && typeof link === 'object' && link !== null; depth += 1) {
    yield link;
    link =
      'cause' in link && link.cause !== undefined
        ? link.cause
        : 'driverError' in link
          ? link.driverError
          : undefined;
  }
}

/**
 * `statement`: our SQL or our data is wrong; `again`: the server chose this transaction as a
 * victim; `unavailable`: all else.
 */
export type DatabaseFault = 'statement' | 'again' | 'unavailable';

/**
 * SQLSTATE classes that blame the statement: cardinality, data, constraint, syntax or access; 45 is
 * what a trigger SIGNALs.
 */
const statementClasses = new Set(['21', '22', '23', '42', '45']);

/** A CHECK was violated; its SQLSTATE says only "general error". */
const checkViolated = 3819;

/** What a failed query means for the caller; undefined when the error did not come from a query. */
export function classifyError(error: unknown): DatabaseFault | undefined {
  if (!(error instanceof QueryFailedError)) return undefined;
  const { errno, sqlState } = error.driverError as { errno?: number; sqlState?: string };
  switch (classifyDriverError(error)?.kind) {
    case 'lock':
      return 'again';
    case 'infrastructure':
    case 'read-only':
      return 'unavailable';
    case 'schema':
    case undefined:
      return errno === checkViolated || statementClasses.has(sqlState?.slice(0, 2) ?? '')
        ? 'statement'
        : 'unavailable';
  }
}

/**
 * Which server failed and how, for an operator: the driver's errors name no server. Undefined for
 * the faults of other servers and of the statement itself.
 */
export function describeServerFault(
  error: unknown,
  { host, port }: Pick<Connection, 'host' | 'port'>,
): string | undefined {
  const known = classifyDriverError(error);
  if (known === undefined || known.kind === 'schema') return undefined;
  let isDrivers = known.code === 'POOL_EXHAUSTED';
  let said = '';
  for (const link of causes(error)) {
    const { fatal, sqlState } = link as { fatal?: unknown; sqlState?: unknown };
    // A registry or a broker that is away has the same codes, and neither of these.
    isDrivers ||=
      fatal === true || typeof sqlState === 'string' || link instanceof QueryFailedError;
    if (link instanceof Error) said = link.message;
  }
  return isDrivers ? `MySQL at ${host}:${port}: ${known.reason} (${said})` : undefined;
}

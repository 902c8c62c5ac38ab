/** Error codes that are never the event's fault, with the reason an operator reads. */
const infrastructureCodes: Readonly<Record<string, string>> = {
  // The server is away, stopping, or the link is cut.
  ECONNREFUSED: 'the server refuses connections',
  ECONNRESET: 'the connection was cut',
  ECONNABORTED: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'the server does not answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  PROTOCOL_CONNECTION_LOST: 'the connection was cut',
  PROTOCOL_SEQUENCE_TIMEOUT: 'the database does not answer',
  ER_SERVER_SHUTDOWN: 'the database is stopping',
  ER_QUERY_INTERRUPTED: 'the query was killed',
  ER_NORMAL_SHUTDOWN: 'the database is stopping',
  // Too much at once.
  ER_CON_COUNT_ERROR: 'the database has no connection left',
  ER_TOO_MANY_USER_CONNECTIONS: 'the database user has no connection left',
  ER_USER_LIMIT_REACHED: 'the database user has reached a limit',
  ER_LOCK_DEADLOCK: 'deadlock, again and again',
  ER_LOCK_WAIT_TIMEOUT: 'a lock was not released in time',
  ER_OUT_OF_RESOURCES: 'the database is out of memory',
  ER_OUTOFMEMORY: 'the database is out of memory',
  // The database takes no writes for now.
  ER_OPTION_PREVENTS_STATEMENT: 'the database is read-only',
  ER_READ_ONLY_MODE: 'the database is read-only',
  ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: 'the database is read-only',
  ER_DISK_FULL: 'the disk of the database is full',
  ER_RECORD_FILE_FULL: 'the disk of the database is full',
  ER_ERROR_ON_WRITE: 'the database cannot write to its disk',
  // The savepoint is gone: the handler swallowed a deadlock, or ended the transaction itself.
  ER_SP_DOES_NOT_EXIST: 'the handler lost or ended the transaction',
  // A deployment in mid-air, not an event: the same for every event until someone mends it.
  ER_ACCESS_DENIED_ERROR: 'the database refuses the password',
  ER_DBACCESS_DENIED_ERROR: 'the database user may not use this schema',
  ER_TABLEACCESS_DENIED_ERROR: 'the database user lacks a right',
  ER_NO_SUCH_TABLE: 'a table is missing: have the migrations run?',
  ER_BAD_DB_ERROR: 'the schema is missing: has the setup run?',
};

/** Messages of mysql2 errors that carry no code. */
const infrastructureMessages: readonly [RegExp, string][] = [
  [/closed state|Pool is closed|Connection lost|Can't add new command/, 'the connection was cut'],
  [/No connections available|Queue limit reached/, 'every pooled connection is busy'],
];

/** Why an error is the infrastructure's and not the event's fault; undefined when it may be the event's. */
export function infrastructureReason(error: unknown): string | undefined {
  try {
    return findReason(error);
  } catch {
    // Handlers throw whatever they like: an error whose properties cannot be read is theirs.
    return undefined;
  }
}

function findReason(error: unknown): string | undefined {
  for (const link of causes(error)) {
    const code = codeOf(link);
    if (code !== undefined && infrastructureCodes[code] !== undefined) return infrastructureCodes[code];
    const message = link instanceof Error ? link.message : '';
    const known = infrastructureMessages.find(([pattern]) => pattern.test(message));
    if (known) return known[1];
  }
  return undefined;
}

/** Whether the error, or what caused it, carries a code that fits. */
export function causedBy(error: unknown, fits: (code: string) => boolean): boolean {
  return [...causes(error)].some((link) => {
    const code = codeOf(link);
    return code !== undefined && fits(code);
  });
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The error and what it wraps, at most ten deep: a cause may point back at itself. */
function* causes(error: unknown): Generator<unknown> {
  let link = error;
  for (let depth = 0; depth < 10 && typeof link === 'object' && link !== null; depth += 1) {
    yield link;
    link =
      'cause' in link && link.cause !== undefined ? link.cause : 'driverError' in link ? link.driverError : undefined;
  }
}

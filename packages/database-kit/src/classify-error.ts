import { QueryFailedError } from 'typeorm';

/** `statement`: our SQL or our data is wrong; `again`: the server chose this transaction as a victim; `unavailable`: all else. */
export type DatabaseFault = 'statement' | 'again' | 'unavailable';

/** SQLSTATE classes that blame the statement: cardinality, data, constraint, syntax or access. */
const statementClasses = new Set(['21', '22', '23', '42']);

const byErrno: Readonly<Record<number, DatabaseFault>> = {
  1205: 'again', // lock wait timeout
  1213: 'again', // deadlock
  3819: 'statement', // a CHECK was violated; its SQLSTATE says only "general error"
};

/** What a failed query means for the caller; undefined when the error did not come from a query. */
export function classifyError(error: unknown): DatabaseFault | undefined {
  if (!(error instanceof QueryFailedError)) return undefined;
  const { errno, sqlState } = error.driverError as { errno?: number; sqlState?: string };
  const known = errno === undefined ? undefined : byErrno[errno];
  return known ?? (statementClasses.has(sqlState?.slice(0, 2) ?? '') ? 'statement' : 'unavailable');
}

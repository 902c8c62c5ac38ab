import { QueryFailedError } from 'typeorm';
import { classifyDriverError } from './driver-errors.ts';

/** `statement`: our SQL or our data is wrong; `again`: the server chose this transaction as a victim; `unavailable`: all else. */
export type DatabaseFault = 'statement' | 'again' | 'unavailable';

/** SQLSTATE classes that blame the statement: cardinality, data, constraint, syntax or access; 45 is what a trigger SIGNALs. */
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
      return errno === checkViolated || statementClasses.has(sqlState?.slice(0, 2) ?? '') ? 'statement' : 'unavailable';
  }
}

/**
 * Something the service depends on cannot be reached now; the HTTP edge answers 503 with
 * Retry-After.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** What must be there is not: a fault of this program or of a server, never of a client. */
export class MissingValueError extends Error {
  override readonly name = 'MissingValueError';
}

/**
 * The value, or an error that names it, when it is undefined, null or NaN.
 *
 * For what cannot be missing as long as the program is right. A fallback would hide the fault, and
 * NaN passes every check that asks whether it is too large.
 */
export function must<Value>(value: Value, what: string): NonNullable<Value> {
  if (value === undefined || value === null || Number.isNaN(value))
    throw new MissingValueError(`${what} must be there, got ${String(value)}`);
  return value;
}

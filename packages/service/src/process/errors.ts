/**
 * Something the service depends on cannot be reached now; the HTTP edge answers 503 with
 * Retry-After.
 */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** A required value is missing: a fault of this program or of a server, never of a client. */
export class MissingValueError extends Error {
  override readonly name = 'MissingValueError';
}

/**
 * Returns the value; throws MissingValueError, which names `what`, for undefined, null and NaN.
 *
 * Use it for what cannot be missing in a correct program. A fallback would hide the fault, and NaN
 * passes every check for an upper limit.
 */
export function must<Value>(value: Value, what: string): NonNullable<Value> {
  if (value === undefined || value === null || Number.isNaN(value))
    throw new MissingValueError(`${what} must be there, got ${String(value)}`);
  return value;
}

/**
 * Characters that move the cursor, change colours or the direction of writing, or are invisible.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes, as JSON does, the characters of foreign text that could change what a terminal shows.
 * Line ends and tabs stay.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (char) =>
    char === '\n' || char === '\t' ? char : escape(char),
  );
}

function escape(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

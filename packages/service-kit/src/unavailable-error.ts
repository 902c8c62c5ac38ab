/** Something the service depends on cannot be reached now; the HTTP edge answers 503 with Retry-After. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

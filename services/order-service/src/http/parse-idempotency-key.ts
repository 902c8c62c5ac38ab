/** Visible ASCII without what would mean something else here: quotes, escapes, the next of a list, a parameter. */
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,255}$/;

/** A string of structured headers (RFC 8941), as the draft of the header wants it. */
const quoted = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/** The key, the same one whether it came quoted or bare; undefined when it is none, or more than one. */
export function parseIdempotencyKey(header: string): string | undefined {
  if (bare.test(header)) return header;
  const key = quoted.exec(header)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? '';
  return key.length >= 1 && key.length <= 255 ? key : undefined;
}

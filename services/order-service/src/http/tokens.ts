import { requestFields, type EntityTags } from '@board/service';

/**
 * The short texts that clients carry from an answer to a request, or choose themselves: ETag, key
 * and cursor.
 */

/** An aggregate's version is its ETag. */
export const versionEtag = {
  of(version: number): string {
    return `"${version}"`;
  },

  /**
   * The versions that an If-Match allows, undefined for any.
   *
   * Compared strongly, as RFC 9110 wants it: a weak tag matches nothing, no more than one that is
   * not ours.
   */
  versions(ifMatch: EntityTags | undefined): readonly number[] | undefined {
    if (ifMatch === undefined || ifMatch === '*') return undefined;
    return ifMatch
      .filter(({ weak, value }) => !weak && /^[1-9]\d{0,9}$/.test(value))
      .map(({ value }) => Number(value));
  },
} as const;

/**
 * Visible ASCII without what would mean something else here: quotes, escapes, the next of a list, a
 * parameter.
 */
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,255}$/;

/** A string of structured headers (RFC 8941), as the draft of the header wants it. */
const quoted = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The key, the same one whether it came quoted or bare; undefined when it is none, or more than
 * one.
 */
export function parseIdempotencyKey(header: string): string | undefined {
  if (bare.test(header)) return header;
  const key = quoted.exec(header)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? '';
  return key.length >= 1 && key.length <= 255 ? key : undefined;
}

/** The header of every request that changes something. */
export const idempotencyKey = requestFields
  .parsed(
    'one key of 1 to 255 visible ASCII characters, bare or in double quotes',
    parseIdempotencyKey,
  )
  .optional()
  .meta({
    description:
      'A key that the client made for this request. A repeat with the same key does nothing again: it gets the first answer.',
    example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
  });

export const ifMatch = requestFields
  .entityTags()
  .meta({ description: 'Changes it only at one of these versions.', example: '"1"' });

/** Where a page of the list ends: opaque to clients, so that it may hold something else one day. */
export const idCursor = {
  of(id: string): string {
    return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
  },

  /** The id, or undefined when the text is no cursor that `of` made. */
  read(cursor: string): string | undefined {
    const hex = Buffer.from(cursor, 'base64url').toString('hex');
    const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return id.length === 36 && idCursor.of(id) === cursor ? id : undefined;
  },
} as const;

import { requestFields, type EntityTags } from '@board/service';
import { z } from 'zod';
import { boardLimits } from '../domain/board.ts';

/*
 * What clients send: ETag, idempotency key and cursor, which all routes share, and the requests
 * about boards.
 */

/** An aggregate's version is its ETag. */
export const versionEtag = {
  of(version: number): string {
    return `"${version}"`;
  },

  /**
   * The versions that an If-Match allows; undefined: any.
   *
   * Compared strongly, as RFC 9110 requires: a weak tag matches nothing, nor does a tag that this
   * service did not issue.
   */
  versions(ifMatch: EntityTags | undefined): readonly number[] | undefined {
    if (ifMatch === undefined || ifMatch === '*') return undefined;
    return ifMatch
      .filter(({ weak, value }) => !weak && /^[1-9]\d{0,9}$/.test(value))
      .map(({ value }) => Number(value));
  },
} as const;

/** Visible ASCII without the characters that have a meaning in a header: `"`, `\`, `,` and `;`. */
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,255}$/;

/** A string of structured headers (RFC 8941), as the draft of the header requires. */
const quoted = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The key, the same for its quoted and its bare form; undefined when the header is no key, or more
 * than one.
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
      'A key that the client made for this request. A repeat with the same key changes nothing: it gets the first answer.',
    example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
  });

/** The header of a change that depends on the current version. */
export const ifMatch = requestFields
  .entityTags()
  .meta({ description: 'Changes it only at one of these versions.', example: '"1"' });

/** Where a page of the list ends; opaque to clients, so that its content may change. */
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

/** 65,536 bytes of content fit even if each one is escaped as six (`\u0041`). */
export const bodyLimitBytes = 448 * 1024;

const { titleCodePoints, contentBytes, authorCodePoints } = boardLimits;
const listLimits = { preset: 20, max: 100 } as const;

// Lengths are documented here and checked by the domain: JSON Schema counts code points as the
// domain does, Zod counts UTF-16 units.
const title = z
  .string({ error: 'a text' })
  .meta({ minLength: 1, maxLength: titleCodePoints, example: 'First board' });
const content = z.string({ error: 'a text' }).meta({
  maxLength: contentBytes,
  description: `At most ${contentBytes} bytes of UTF-8.`,
  example: 'Hello',
});
const author = z
  .string({ error: 'a text, or no author' })
  .meta({ minLength: 1, maxLength: authorCodePoints, example: 'Kim' });

const path = z.object({
  id: requestFields
    .uuid()
    .meta({ description: 'The id of the board.', example: '019b0000-0000-7000-8000-000000000001' }),
});

const ifNoneMatch = requestFields
  .entityTags()
  .meta({ description: 'What the client has: 304 if it is current.', example: '"1"' });

export const createBoardRequest = z.object({
  header: z.object({ 'Idempotency-Key': idempotencyKey }),
  body: z
    .strictObject(
      { title, content, author: author.nullish() },
      { error: 'a JSON object with title, content and perhaps author' },
    )
    .meta({ id: 'CreateBoard' }),
});

/** The older way to create a board. */
export const legacyRequest = z.object({
  query: z.strictObject({ title, content, author: author.optional() }),
  header: z.object({ 'Idempotency-Key': idempotencyKey }),
});

export const editBoardRequest = z.object({
  path,
  header: z.object({ 'If-Match': ifMatch, 'Idempotency-Key': idempotencyKey }),
  body: z
    .strictObject(
      { title: title.optional(), content: content.optional() },
      { error: 'a JSON object with title, content or both' },
    )
    .refine(
      ({ title, content }) => title !== undefined || content !== undefined,
      'title, content or both',
    )
    .meta({ id: 'EditBoard', minProperties: 1 }),
});

export const deleteBoardRequest = z.object({
  path,
  header: z.object({ 'If-Match': ifMatch, 'Idempotency-Key': idempotencyKey }),
});

export const findBoardRequest = z.object({
  path,
  header: z.object({ 'If-None-Match': ifNoneMatch }),
});

export const listBoardsRequest = z.object({
  query: z.strictObject({
    limit: requestFields.limit(listLimits).meta({
      description:
        'How many at most; a page of long boards has fewer. `next` alone says whether there are more.',
      override: {
        type: 'integer',
        minimum: 1,
        maximum: listLimits.max,
        default: listLimits.preset,
      },
    }),
    cursor: requestFields
      .parsed('the cursor of a page before', idCursor.read)
      .optional()
      .meta({ description: '`next` of the page before; without it, the newest boards.' }),
  }),
  header: z.object({ 'If-None-Match': ifNoneMatch }),
});

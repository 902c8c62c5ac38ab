import { requestFields } from '@board/service';
import { z } from 'zod';
import { boardLimits } from '../domain/check-board-text.ts';
import { idCursor, idempotencyKey, ifMatch } from './tokens.ts';

/** 65,536 bytes of content fit even when each one is escaped as six (`\u0041`). */
export const bodyLimitBytes = 448 * 1024;

const { titleCodePoints, contentBytes, authorCodePoints } = boardLimits;
const listLimits = { preset: 20, max: 100 } as const;

// Lengths are told here and judged by the domain: JSON Schema counts code points as we do, Zod
// counts UTF-16 units.
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
  .meta({ description: 'What the client has: 304 when it still holds.', example: '"1"' });

export const createBoardRequest = z.object({
  header: z.object({ 'Idempotency-Key': idempotencyKey }),
  body: z
    .strictObject(
      { title, content, author: author.nullish() },
      { error: 'a JSON object with title, content and perhaps author' },
    )
    .meta({ id: 'CreateBoard' }),
});

/** The older way to create one. */
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

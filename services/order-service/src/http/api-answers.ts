import { z } from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';

const board = z
  .object({
    id: z.string().meta({ format: 'uuid' }),
    version: z.int().min(1).meta({ description: 'Counts the changes of the board; its ETag.' }),
    title: z.string(),
    content: z.string(),
    author: z.string().nullable(),
    createdAt: z.string().meta({ format: 'date-time' }),
    updatedAt: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Board' });

const comment = z
  .object({
    id: z.string().meta({ format: 'uuid' }),
    version: z.int().min(1).meta({ description: 'Its ETag.' }),
    boardId: z.string().meta({ format: 'uuid' }),
    text: z.string(),
    author: z.string().nullable(),
    createdAt: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Comment' });

const list = z
  .object({
    boards: z.array(board),
    next: z
      .string()
      .nullable()
      .meta({ description: 'The cursor of the next page; null on the last one.' }),
  })
  .meta({ id: 'Boards' });

const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional(),
    errors: z
      .array(z.object({ field: z.string(), wants: z.string() }))
      .optional()
      .meta({ description: 'The fields that are wrong, and what each must be instead.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const everywhere = {
  'X-Request-Id': z.string().meta({ description: 'Is on every log line of this request.' }),
};
const etag = {
  ETag: z.string().meta({ description: 'Its version in double quotes.', example: '"1"' }),
};
const retryAfter = { 'Retry-After': z.string().meta({ description: 'Seconds.' }) };
const cached = { ETag: z.string(), 'Cache-Control': z.literal('no-cache') };
const replayed = {
  'Idempotency-Replayed': z
    .literal('true')
    .optional()
    .meta({ description: 'This is the first answer of the key.' }),
};
const location = { Location: z.string().meta({ description: 'The path of what was created.' }) };
const link = { Link: z.string().optional().meta({ description: 'The next page, `rel="next"`.' }) };

function answer(
  description: string,
  headers: z.ZodRawShape,
  schema?: z.ZodType,
  type = 'application/json',
) {
  return {
    description,
    headers: z.object({ ...everywhere, ...headers }),
    ...(schema && { content: { [type]: { schema } } }),
  } satisfies ZodOpenApiResponseObject;
}

function refusal(description: string, headers: z.ZodRawShape = {}) {
  return answer(description, headers, problem, 'application/problem+json');
}

const failures = {
  500: refusal('An unexpected error; the log has the details.'),
  503: refusal(
    'Not available now, or not in time. A change may have been made: repeat it with the same key.',
    retryAfter,
  ),
};

const read = {
  304: answer('What the client has is current.', cached),
  400: refusal('A parameter or header is not valid.'),
  ...failures,
};

const write = {
  400: refusal('A parameter or header is not valid, or the body is no JSON.'),
  409: refusal(
    'A request with this Idempotency-Key is still running, or the state of the aggregate forbids it.',
    {
      'Retry-After': z
        .string()
        .optional()
        .meta({ description: 'Seconds; only while the request is running.' }),
    },
  ),
  422: refusal('A field breaks a rule, or the Idempotency-Key was used for another request.'),
  ...failures,
};

const withBody = {
  408: refusal('The body came too slowly.'),
  413: refusal('The body is too large.'),
  415: refusal('The body is not declared as JSON in UTF-8, or is compressed.'),
};

const ofBoard = { 404: refusal('There is no such board.'), 410: refusal('The board was deleted.') };
const ofComment = {
  404: refusal('There is no such comment.'),
  410: refusal('The comment was removed.'),
};
const stale = { 412: refusal('It is at another version, which the ETag names.', etag) };

const created = (what: z.ZodType) => ({
  201: answer('Created.', { ...location, ...etag, ...replayed }, what),
});

/** Every answer of each operation, by status. */
export const apiAnswers = {
  createBoard: { ...created(board), ...write, ...withBody },
  createByQuery: {
    ...created(board),
    ...write,
    403: refusal('Asked for by another site, or as a prefetch.'),
  },
  editBoard: {
    200: answer('Changed.', { ...etag, ...replayed }, board),
    ...write,
    ...withBody,
    ...ofBoard,
    ...stale,
  },
  deleteBoard: { 204: answer('Deleted.', replayed), ...write, ...ofBoard, ...stale },
  findBoard: { 200: answer('The board.', cached, board), ...read, ...ofBoard },
  addComment: { ...created(comment), ...write, ...withBody, ...ofBoard },
  removeComment: { 204: answer('Removed.', replayed), ...write, ...ofComment, ...stale },
  findComment: { 200: answer('The comment.', cached, comment), ...read, ...ofComment },
  listBoards: {
    200: answer('A page of boards, newest first.', { ...cached, ...link }, list),
    ...read,
  },
} as const;

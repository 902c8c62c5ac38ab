import { z } from 'zod';
import { withinDeadline } from '../process/waits.ts';
import { parseEntityTags } from './entity-tags.ts';
import type { ServiceContext } from './observe-requests.ts';
import { Problem, type FieldError } from './problem.ts';

/**
 * All that a route reads of its request. Each field's error message says what the field must be.
 *
 * Header names may be in any case; a repeated header is one text with commas.
 */
export type RequestSchema = z.ZodObject<{
  path?: z.ZodObject;
  query?: z.ZodObject;
  header?: z.ZodObject;
  body?: z.ZodType;
}>;

/**
 * The request in its schema's shape; throws a Problem that names the fields: 422 for a body, 400
 * for what is around it.
 */
export async function readRequest<Schema extends RequestSchema>(
  ctx: ServiceContext,
  schema: Schema,
  bodyOptions?: JsonBodyOptions,
): Promise<z.output<Schema>> {
  const { query, header } = schema.shape;
  const result = schema.safeParse({
    path: ctx['params'],
    query: query && readQuery(ctx),
    header: header && pickHeaders(ctx, Object.keys(header.shape)),
    body: bodyOptions && (await readJsonBody(ctx, bodyOptions)),
  });
  if (result.success) return result.data;
  const { issues } = result.error;
  const around = issues.filter(({ path }) => path[0] !== 'body');
  if (around.length > 0) throw misfit(400, 'A parameter or header does not fit.', around);
  throw misfit(422, 'The body does not fit.', issues);
}

function readQuery(ctx: ServiceContext): Record<string, unknown> {
  try {
    // Koa's own parser replaces bytes that are not UTF-8.
    decodeURIComponent(ctx.querystring);
  } catch (cause) {
    throw new Problem(400, { detail: 'The query is not valid UTF-8 in percent-encoding.', cause });
  }
  return { ...ctx.query };
}

function pickHeaders(ctx: ServiceContext, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, ctx.headers[name.toLowerCase()]]));
}

function misfit(status: number, detail: string, issues: readonly z.core.$ZodIssue[]): Problem {
  return new Problem(status, { detail, errors: issues.flatMap(toFields) });
}

/** A field's name is the client's text: as many, and as much of each, as fits an answer. */
function toFields(issue: z.core.$ZodIssue): FieldError[] {
  const [part, field] = issue.path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, 10)
      .map((key) => ({ field: key.slice(0, 100), wants: 'not to be there' }));
  }
  return [
    { field: field === undefined ? `(${String(part)})` : String(field), wants: issue.message },
  ];
}

/** Fields of requests that services share; the error message of each says what it must be. */
export const requestFields = {
  /**
   * A text that `parse` turns into something; undefined from it means that the text does not fit.
   */
  parsed,

  /** In lower case, however it came. */
  uuid: () =>
    z
      .string({ error: 'a UUID' })
      .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID')
      .toLowerCase(),

  /** How many entries a page has at most. */
  limit: ({ preset, max }: { readonly preset: number; readonly max: number }) =>
    parsed(`a number from 1 to ${max}`, (text) => {
      const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
      return limit >= 1 && limit <= max ? limit : undefined;
    }).default(preset),

  /** If-Match and If-None-Match. */
  entityTags: () =>
    parsed('entity tags in double quotes with commas between, or *', parseEntityTags).optional(),
} as const;

function parsed<Value>(wants: string, parse: (text: string) => Value | undefined) {
  return z.string({ error: wants }).transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: wants });
    return z.NEVER;
  });
}

export interface JsonBodyOptions {
  readonly limitBytes: number;
  /** Media types that are taken; the body is JSON under each. */
  readonly types?: readonly string[];
  /** From the call to the last byte. */
  readonly timeLimitMs?: number;
}

/**
 * The request's JSON value; throws 400, 408, 413 or 415 as a Problem.
 *
 * Stricter than the usual parsers: bytes that are not UTF-8 are refused, not replaced, a key that
 * stands twice in an object is refused, not dropped, and compressed bodies are not taken.
 */
export async function readJsonBody(
  ctx: ServiceContext,
  options: JsonBodyOptions,
): Promise<unknown> {
  const { limitBytes, types = ['application/json'], timeLimitMs = 10_000 } = options;
  if (
    !types.includes(ctx.request.type.toLowerCase()) ||
    !isUtf8(ctx.request.charset) ||
    ctx.get('content-encoding') !== ''
  ) {
    throw new Problem(415, {
      detail: `The body must be JSON in UTF-8, not compressed: Content-Type: ${types.join(' or ')}.`,
      headers: { Accept: types.join(', ') },
    });
  }
  // The rest may never come, so the connection cannot serve another request.
  const headers = { Connection: 'close' };
  const late = () =>
    new Problem(408, { detail: `The body did not come within ${timeLimitMs} ms.`, headers });
  return parse(await withinDeadline(readBytes(ctx, limitBytes), timeLimitMs, late));
}

function isUtf8(charset: string): boolean {
  return charset === '' || charset.toLowerCase() === 'utf-8';
}

async function readBytes(ctx: ServiceContext, limitBytes: number): Promise<Buffer> {
  // Made when it is needed: an error costs its stack trace.
  const tooLarge = () => new Problem(413, { detail: `The body may have ${limitBytes} bytes.` });
  if ((ctx.request.length ?? 0) > limitBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limitBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem(400, { detail: 'The body ended early.', cause });
  }
  return Buffer.concat(chunks);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Buffer): unknown {
  const { source, value } = decode(bytes);
  if (hasRepeatedKey(source, value))
    throw new Problem(400, { detail: 'An object of the body has a key twice.' });
  return value;
}

function decode(bytes: Buffer): { readonly source: string; readonly value: unknown } {
  try {
    const source = utf8.decode(bytes);
    return { source, value: JSON.parse(source) };
  } catch (cause) {
    throw new Problem(400, { detail: 'The body is not valid JSON in UTF-8.', cause });
  }
}

/**
 * Whether an object in the JSON `source` of `value` has a key twice, of which JSON.parse silently
 * keeps the last.
 *
 * If so, the source holds more texts, keys included, than the value.
 */
export function hasRepeatedKey(source: string, value: unknown): boolean {
  return countInSource(source) !== countInValue(value);
}

function countInSource(source: string): number {
  let count = 0;
  for (let quote = source.indexOf('"'); quote !== -1; quote = source.indexOf('"', quote + 1)) {
    count += 1;
    do quote = source.indexOf('"', quote + 1);
    while (isEscaped(source, quote));
  }
  return count;
}

/** An odd number of backslashes stands before it. */
function isEscaped(source: string, quote: number): boolean {
  let first = quote;
  while (source[first - 1] === '\\') first -= 1;
  return (quote - first) % 2 === 1;
}

/** Without recursion: a body may nest deeper than the stack. */
function countInValue(value: unknown): number {
  let count = 0;
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'string') count += 1;
    if (typeof one !== 'object' || one === null) continue;
    const values: unknown[] = Object.values(one);
    if (!Array.isArray(one)) count += values.length;
    for (const inner of values) left.push(inner);
  }
  return count;
}

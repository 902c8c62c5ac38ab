import { z } from 'zod';
import { parseEntityTags } from './entity-tags.ts';
import type { ServiceContext } from './observe-requests.ts';
import { Problem, type FieldError } from './problem.ts';
import { readJsonBody, type JsonBodyOptions } from './read-json-body.ts';

/**
 * All that a route reads of its request. Each field's error message says what the field wants.
 *
 * Headers are named as people write them; a repeated one comes as one text with commas.
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

/** Fields of requests that services share; the error message of each says what it wants. */
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

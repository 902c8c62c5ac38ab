import type { z } from 'zod';
import { Problem, type FieldError } from './problem.ts';
import { readJsonBody, type JsonBodyOptions } from './read-json-body.ts';
import type { ServiceContext } from './service-router.ts';

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

/** The request in its schema's shape; throws a Problem that names the fields: 422 for a body, 400 for what is around it. */
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
    return issue.keys.slice(0, 10).map((key) => ({ field: key.slice(0, 100), wants: 'not to be there' }));
  }
  return [{ field: field === undefined ? `(${String(part)})` : String(field), wants: issue.message }];
}

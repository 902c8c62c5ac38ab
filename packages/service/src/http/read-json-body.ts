import { withinDeadline } from '../process/time-limits.ts';
import type { ServiceContext } from './observe-requests.ts';
import { Problem } from './problem.ts';

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
 * Tells whether an object in the JSON `source` of `value` has a key twice, of which JSON.parse
 * silently keeps the last.
 *
 * Then the source holds more texts, keys included, than the value.
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

import { Problem } from './problem.ts';
import type { ServiceContext } from './service-router.ts';

/**
 * The request's JSON value; throws 400, 413 or 415 as a Problem.
 *
 * Stricter than the usual parsers: bytes that are not UTF-8 are refused, not replaced, and compressed bodies are not taken.
 */
export async function readJsonBody(ctx: ServiceContext, limitBytes: number): Promise<unknown> {
  if (ctx.request.type !== 'application/json' || !isUtf8(ctx.request.charset) || ctx.get('content-encoding') !== '') {
    throw new Problem(415, {
      detail: 'The body must be JSON in UTF-8, not compressed: Content-Type: application/json.',
      headers: { Accept: 'application/json' },
    });
  }
  return parse(await readBytes(ctx, limitBytes));
}

function isUtf8(charset: string): boolean {
  return charset === '' || charset.toLowerCase() === 'utf-8';
}

async function readBytes(ctx: ServiceContext, limitBytes: number): Promise<Buffer> {
  const tooLarge = new Problem(413, { detail: `The body may have ${limitBytes} bytes.` });
  if ((ctx.request.length ?? 0) > limitBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limitBytes) throw tooLarge;
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause === tooLarge) throw tooLarge;
    throw new Problem(400, { detail: 'The body ended early.', cause });
  }
  return Buffer.concat(chunks);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new Problem(400, { detail: 'The body is not valid JSON in UTF-8.', cause });
  }
}

import { randomBytes } from 'node:crypto';

const shape = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-.*)?$/;

/**
 * The W3C trace context of a request: the one that it brought, or a new one, which is also the answer to a bad header.
 *
 * Later versions of the header are read as far as version 00 knows them, as the standard wants it.
 */
export function readTraceparent(header: string): string {
  const [, version, rest, more] = shape.exec(header) ?? [];
  if (rest !== undefined && !(version === '00' && more !== undefined)) return `00-${rest}`;
  return `00-${randomId(16)}-${randomId(8)}-01`;
}

/** All zeros would mean: no id. */
function randomId(bytes: number): string {
  const id = randomBytes(bytes);
  return id.every((byte) => byte === 0) ? randomId(bytes) : id.toString('hex');
}

import { randomUUID } from 'node:crypto';

const shape = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(-.*)?$/;

/**
 * The W3C trace context of a request: the one that it brought, or a new one, which is also the answer to a bad header.
 *
 * Later versions of the header are read as far as version 00 knows them, as the standard wants it.
 */
export function readTraceparent(header: string): string {
  const [, version, rest, more] = shape.exec(header) ?? [];
  if (rest !== undefined && !(version === '00' && more !== undefined)) return `00-${rest}`;
  return `00-${randomHex()}-${randomHex().slice(0, 16)}-01`;
}

/** A random UUID is never all zeros, which would mean: no id. Node makes them in stock, single random bytes cost several times as much. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

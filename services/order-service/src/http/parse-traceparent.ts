import { randomBytes } from 'node:crypto';

const shape = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A valid W3C traceparent (version 00), or a new one: a bad one is the sender's loss and no reason to refuse. */
export function parseTraceparent(header: string): string {
  if (shape.test(header)) return header;
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

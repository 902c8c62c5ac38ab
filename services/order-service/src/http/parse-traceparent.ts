const shape = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A valid W3C traceparent (version 00), or null: a bad one is the sender's loss and no reason to refuse. */
export function parseTraceparent(header: string): string | null {
  return shape.test(header) ? header : null;
}

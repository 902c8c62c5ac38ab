/** A request as it goes out. */
export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
}

/** The bytes of a request; header texts are latin-1, as Node reads them. */
export function toBytes(
  { method, target, headers, body }: Sent,
  chunks?: readonly number[],
): Buffer {
  const framing =
    body === undefined
      ? []
      : [chunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`];
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: board',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  const head = Buffer.from(`${[...lines, ...framing].join('\r\n')}\r\n\r\n`, 'latin1');
  if (!body) return head;
  return Buffer.concat([head, ...(chunks ? cut(body, chunks) : [body])]);
}

function cut(body: Buffer, sizes: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    // At most about 500 chunks: more would overload the socket.
    const size = Math.max(sizes[turn % sizes.length] ?? 1, Math.ceil(body.length / 500));
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
    at += size;
  }
  return [...parts, Buffer.from('0\r\n\r\n')];
}

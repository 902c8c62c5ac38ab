import type { Answer } from '@board/service/testing';

/**
 * The first whole answer in the bytes of a connection, and what follows it; undefined while it is
 * not all there.
 */
export function takeAnswer(
  bytes: Buffer,
  isHead: boolean,
): { readonly answer: Answer; readonly rest: Buffer } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new Error(`not an answer: ${statusLine.slice(0, 200)}`);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const isWithoutBody = isHead || status < 200 || status === 204 || status === 304;
  const length = isWithoutBody ? 0 : Number(headers['content-length']);
  if (Number.isNaN(length)) throw new Error(`an answer without a length: ${statusLine}`);
  const end = headEnd + 4 + length;
  if (bytes.length < end) return undefined;
  const text = bytes.toString('utf8', headEnd + 4, end);
  return {
    answer: { status, headers, text, json: () => JSON.parse(text) as unknown },
    rest: bytes.subarray(end),
  };
}

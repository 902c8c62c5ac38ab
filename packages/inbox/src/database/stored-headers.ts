import type { RecordHeaders } from '../record.ts';

type Stored = readonly (readonly [name: string, values: readonly (string | null)[], repeated: boolean])[];

/** Headers as bytes that give back every name and value exactly, null values and repeated names too. */
export function encodeHeaders(headers: RecordHeaders): Buffer {
  const stored: Stored = Object.entries(headers).map(([name, value]) =>
    Array.isArray(value) ? [name, value.map(toBase64), true] : [name, [toBase64(value ?? null)], false],
  );
  return Buffer.from(JSON.stringify(stored));
}

export function decodeHeaders(bytes: Buffer): RecordHeaders {
  const stored = JSON.parse(bytes.toString()) as Stored;
  return Object.fromEntries(
    stored.map(([name, values, repeated]) => [
      name,
      repeated ? values.map(fromBase64Bytes) : fromBase64(values[0] ?? null),
    ]),
  );
}

function toBase64(value: Buffer | string | null): string | null {
  return value === null ? null : Buffer.from(value).toString('base64');
}

function fromBase64(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64');
}

function fromBase64Bytes(text: string | null): Buffer {
  return Buffer.from(text ?? '', 'base64');
}

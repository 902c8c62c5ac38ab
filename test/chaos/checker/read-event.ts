import type { BoardState } from './evidence.ts';

/**
 * What a payload says, read without the code that wrote it: a zero byte, four of the schema's id,
 * then Avro's fields in their order: id, version, title, content, author or null, createdAt,
 * updatedAt, and for a BoardDeleted deletedAt.
 */
export function readEvent(
  type: string,
  payload: Buffer,
): BoardState | { readonly problem: string } {
  try {
    return read(type, payload);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function read(type: string, payload: Buffer): BoardState {
  if (payload[0] !== 0) throw new Error(`it begins with byte ${payload[0]}, not with 0`);
  let at = 5;
  const byte = (): number => {
    const value = payload[at];
    if (value === undefined) throw new Error(`it ends after ${payload.length} bytes, too early`);
    at += 1;
    return value;
  };
  // Zigzag, seven bits in each byte, the lowest first.
  const long = (): number => {
    let bits = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (shift > 63n) throw new Error('it has a number of more than 64 bits');
      const next = byte();
      bits |= BigInt(next & 0x7f) << shift;
      if (next < 0x80) return Number((bits >> 1n) ^ -(bits & 1n));
    }
  };
  const text = (): string => {
    const length = long();
    if (length < 0 || at + length > payload.length)
      throw new Error(`it has a text of ${length} bytes, ${payload.length} in all`);
    at += length;
    return payload.toString('utf8', at - length, at);
  };
  const optionalText = (): string | null => {
    const branch = long();
    if (branch > 1 || branch < 0) throw new Error(`it has the branch ${branch} of a union of two`);
    return branch === 0 ? null : text();
  };
  const said = {
    id: text(),
    version: long(),
    title: text(),
    content: text(),
    author: optionalText(),
  };
  const times = {
    createdAt: long(),
    updatedAt: long(),
    deletedAt: type === 'BoardDeleted' ? long() : null,
  };
  if (at !== payload.length) throw new Error(`it has ${payload.length - at} bytes too many`);
  return { ...said, ...times };
}

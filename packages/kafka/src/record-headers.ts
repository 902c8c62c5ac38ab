/** One header; the value is null where its producer sent none. */
export type Header = readonly [name: string, value: Buffer | null];

/**
 * The headers of a record as the broker has them: their order, repeated names and null values
 * included.
 */
export interface RecordHeaders {
  /**
   * The block as it stands in the record: a count, then name and value of each, with zigzag varint
   * lengths.
   */
  readonly bytes: Buffer;
  /** Empty when there is a `problem`: why they are not read. */
  readonly entries: readonly Header[];
  readonly problem: string | undefined;
}

/** More than any producer of events needs; reading them costs time and memory for each. */
export const maxHeaders = 1_000;

/**
 * Reads a block of headers; one that is malformed or too long has a `problem`, so this never
 * throws.
 */
export function readHeaders(bytes: Buffer): RecordHeaders {
  try {
    const reader = new VarintReader(bytes);
    const count = reader.varint();
    if (count < 0 || count > maxHeaders)
      return {
        bytes,
        entries: [],
        problem: `the record has ${count} headers, at most ${maxHeaders} are read`,
      };
    const entries: Header[] = [];
    for (let read = 0; read < count; read += 1) {
      const name = reader.bytes();
      if (name === null)
        return { bytes, entries: [], problem: 'a header of the record has no name' };
      entries.push([name.toString(), reader.bytes()]);
    }
    if (!reader.isAtEnd())
      return {
        bytes,
        entries: [],
        problem: 'the headers of the record do not end where they must',
      };
    return { bytes, entries, problem: undefined };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return {
      bytes,
      entries: [],
      problem: `the headers of the record cannot be read: ${error.message}`,
    };
  }
}

/** Encodes headers as a record's block. */
export function writeHeaders(
  headers: Iterable<readonly [name: string, value: Buffer | string | null]>,
): RecordHeaders {
  const entries = [...headers].map(([name, value]): Header => [
    name,
    typeof value === 'string' ? Buffer.from(value) : value,
  ]);
  const parts = entries.flatMap(([name, value]) => {
    const text = Buffer.from(name);
    return [
      varint(text.length),
      text,
      varint(value?.length ?? -1),
      ...(value === null ? [] : [value]),
    ];
  });
  return { bytes: Buffer.concat([varint(entries.length), ...parts]), entries, problem: undefined };
}

/**
 * Reads what Kafka's record format is made of; throws RangeError past the end or on a length that
 * cannot be.
 */
export class VarintReader {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, at = 0) {
    this.#buffer = buffer;
    this.#at = at;
  }

  isAtEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  rest(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  /** Zigzag, 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new RangeError('a number has more than 32 bits');
  }

  /** Zigzag, up to 2^53. */
  varlong(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new RangeError('a number has more than 64 bits');
  }

  byte(): number {
    const byte = this.#buffer[this.#at];
    if (byte === undefined) throw new RangeError('it ends too early');
    this.#at += 1;
    return byte;
  }

  /** A length, then so many bytes; null for the length -1. */
  bytes(): Buffer | null {
    const length = this.varint();
    return length === -1 ? null : this.take(length);
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (length < 0 || end > this.#buffer.length)
      throw new RangeError(`a length of ${length} does not fit`);
    const taken = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

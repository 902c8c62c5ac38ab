// Confluent's wire format: a zero byte, the id of the schema in four bytes, then the encoded event.
const headBytes = 5;
const magicByte = 0;

/** A record's value, taken apart. */
export type Frame =
  { readonly kind: 'framed'; readonly schemaId: number; readonly payload: Buffer } | NotFramed;

interface NotFramed {
  readonly kind: 'not-framed';
  readonly problem: string;
}

/** Puts an encoded event into the wire format. */
export function frame(schemaId: number, payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(headBytes + payload.length);
  framed[0] = magicByte;
  framed.writeInt32BE(schemaId, 1);
  payload.copy(framed, headBytes);
  return framed;
}

/**
 * Takes a value apart; the payload shares its memory. A registry gives no id below 0: the caller
 * decides what to do with one.
 */
export function readFrame(value: Buffer): Frame {
  if (value.length < headBytes)
    return notFramed(
      `the value has ${value.length} bytes, an Avro record has at least ${headBytes}`,
    );
  if (value[0] !== magicByte)
    return notFramed(
      `the value's first byte is ${value[0]}, with Confluent framing it must be ${magicByte}`,
    );
  return { kind: 'framed', schemaId: value.readInt32BE(1), payload: value.subarray(headBytes) };
}

/** The id alone, for many values at once; undefined where there is no frame. */
export function schemaIdOf(value: Buffer | null): number | undefined {
  return value === null || value.length < headBytes || value[0] !== magicByte
    ? undefined
    : value.readInt32BE(1);
}

function notFramed(problem: string): NotFramed {
  return { kind: 'not-framed', problem };
}

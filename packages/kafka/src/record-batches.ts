import type { KafkaMessage } from 'kafkajs';
import { decompress } from './decompress.ts';
import { readHeaders, VarintReader, type RecordHeaders } from './record-headers.ts';

/** Of one batch once it is decompressed, and of all that is handed out at once. */
const maxBatchBytes = 64 * 1024 * 1024;
const maxBatchRecords = 250_000;
const enoughBytes = 32 * 1024 * 1024;

/** What a fetch found at an offset; kafkajs hands it on as a message. */
export type Fetched = FetchedRecord | PassedOffsets | UndecodableBatch;

/** What kafkajs hands on is what `readRecordBatches` has read. */
export function fetchedIn({
  messages,
}: {
  readonly messages: readonly KafkaMessage[];
}): readonly Fetched[] {
  return messages as unknown as readonly Fetched[];
}

/** What kafkajs reads of a message beside what it hands on. */
class Message {
  readonly isControlRecord = false;
  readonly attributes = 0;
  readonly size = 0;
  readonly batchContext = {};
  /** Decimal, may pass 2^53. */
  readonly offset: string;
  /** Milliseconds since the epoch; 0 where a producer set none or one that no clock shows. */
  readonly timestamp: string;

  constructor(offset: bigint, timestampMs: number) {
    this.offset = String(offset);
    this.timestamp = String(
      timestampMs >= 0 && Number.isSafeInteger(timestampMs) ? timestampMs : 0,
    );
  }
}

/** A record as the broker keeps it; its headers are read when they are asked for. */
export class FetchedRecord extends Message {
  readonly kind = 'record';
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly #headerBytes: Buffer;

  constructor(
    offset: bigint,
    timestampMs: number,
    key: Buffer | null,
    value: Buffer | null,
    headerBytes: Buffer,
  ) {
    super(offset, timestampMs);
    this.key = key;
    this.value = value;
    this.#headerBytes = headerBytes;
  }

  recordHeaders(): RecordHeaders {
    return readHeaders(this.#headerBytes);
  }

  /** As kafkajs has them, by name, for callers that need neither order nor null values. */
  get headers(): Record<string, Buffer | Buffer[]> {
    const byName = Map.groupBy(this.recordHeaders().entries, ([name]) => name);
    const headers = Object.create(null) as Record<string, Buffer | Buffer[]>;
    for (const [name, entries] of byName) {
      const values = entries.map(([, value]) => value as Buffer);
      headers[name] = values.length === 1 ? (values[0] as Buffer) : values;
    }
    return headers;
  }
}

/**
 * Offsets that hold no record: a transaction's marker, or what compaction took; the last of them is
 * `offset`.
 */
class PassedOffsets extends Message {
  readonly kind = 'passed';
  readonly key = null;
  readonly value = null;
  readonly headers = {};
}

/** A batch whose records cannot be read; `offset` is its last. */
export class UndecodableBatch extends Message {
  readonly kind = 'undecodable';
  readonly key = null;
  readonly value = null;
  readonly headers = {};
  readonly firstOffset: string;
  /** As the broker keeps it. */
  readonly bytes: Buffer;
  readonly error: unknown;

  constructor(
    firstOffset: bigint,
    lastOffset: bigint,
    timestampMs: number,
    bytes: Buffer,
    error: unknown,
  ) {
    super(lastOffset, timestampMs);
    this.firstOffset = String(firstOffset);
    this.bytes = bytes;
    this.error = error;
  }
}

const headerBytes = 61;
const magicAt = 16;
const logAppendTime = 0x08;
const controlBatch = 0x20;

/**
 * Reads the record batches of a fetch, whatever their codec, linear in time and bounded in memory:
 * it stops early, and the next fetch goes on behind what it has read. Nothing in a batch makes it
 * throw. The last batch may be cut off.
 */
export async function readRecordBatches(set: Buffer): Promise<Fetched[]> {
  const fetched: Fetched[] = [];
  let bytes = 0;
  for (
    let at = 0;
    at + magicAt < set.length && bytes < enoughBytes && fetched.length < maxBatchRecords;
  ) {
    const end = at + 12 + set.readInt32BE(at + 8);
    if (end > set.length || end <= at + magicAt) break;
    bytes += await readBatch(set.subarray(at, end), fetched);
    at = end;
  }
  return fetched;
}

/** Returns the size of what it has read. */
async function readBatch(batch: Buffer, fetched: Fetched[]): Promise<number> {
  const base = batch.readBigInt64BE(0);
  const magic = batch.readInt8(magicAt);
  // An older format has no last offset to trust, and one that is too high would pass over records.
  if (magic !== 2 || batch.length < headerBytes) {
    fetched.push(
      new UndecodableBatch(
        base,
        base,
        0,
        batch,
        new Error(`record format ${magic} is not read, only 2`),
      ),
    );
    return batch.length;
  }
  const attributes = batch.readInt16BE(21);
  const last = base + BigInt(Math.max(0, batch.readInt32BE(23)));
  const firstTimestamp = Number(batch.readBigInt64BE(27));
  const maxTimestamp = Number(batch.readBigInt64BE(35));
  if ((attributes & controlBatch) !== 0) {
    fetched.push(new PassedOffsets(last, maxTimestamp));
    return 0;
  }
  try {
    const count = batch.readInt32BE(57);
    if (count < 0 || count > maxBatchRecords)
      throw new Error(`it has ${count} records, at most ${maxBatchRecords} are read`);
    const codec = attributes & 0x07;
    const stored = batch.subarray(headerBytes);
    const records =
      codec === 0 || count === 0 ? stored : await decompress(codec, stored, maxBatchBytes);
    const timestampOf = (deltaMs: number): number =>
      (attributes & logAppendTime) !== 0 ? maxTimestamp : firstTimestamp + deltaMs;
    // Only as a whole: half a batch would be passed over with the offset of its last record.
    const read = readRecords(records, count, base, last, timestampOf);
    for (const record of read) fetched.push(record);
    if (read.at(-1)?.offset !== String(last)) fetched.push(new PassedOffsets(last, maxTimestamp));
    return records.length;
  } catch (error) {
    fetched.push(new UndecodableBatch(base, last, maxTimestamp, batch, error));
    return batch.length;
  }
}

function readRecords(
  bytes: Buffer,
  count: number,
  base: bigint,
  last: bigint,
  timestampOf: (deltaMs: number) => number,
): FetchedRecord[] {
  const reader = new VarintReader(bytes);
  const records: FetchedRecord[] = [];
  let next = base;
  for (let read = 0; read < count; read += 1) {
    const record = new VarintReader(reader.take(reader.varint()));
    record.byte();
    const timestamp = timestampOf(record.varlong());
    const offset = base + BigInt(record.varint());
    // The brokers do not check it in a batch that is not compressed: one too high would pass over
    // the records behind it.
    if (offset < next || offset > last)
      throw new Error(`a record has the offset ${offset}, must be ${next} to ${last}`);
    next = offset + 1n;
    records.push(
      new FetchedRecord(offset, timestamp, record.bytes(), record.bytes(), record.rest()),
    );
  }
  return records;
}

import { readHeaders, writeHeaders } from '@board/kafka-kit';
import type { RecordHeaders } from '../record.ts';

/** Rows that an earlier version parked hold JSON; as a block of headers its first byte would be a negative count. */
const jsonBegin = '['.charCodeAt(0);

type StoredJson = readonly (readonly [name: string, values: readonly (string | null)[], repeated: boolean])[];

/** The headers of a parked row, byte for byte; throws when the row is damaged. */
export function readStoredHeaders(bytes: Buffer): RecordHeaders {
  if (bytes[0] === jsonBegin) return fromJson(bytes);
  const headers = readHeaders(bytes);
  // A record whose headers cannot be read has no identity, so it was never parked like this.
  if (headers.problem !== undefined) throw new Error(`the headers of a parked row are damaged: ${headers.problem}`);
  return headers;
}

function fromJson(bytes: Buffer): RecordHeaders {
  const stored = JSON.parse(bytes.toString()) as StoredJson;
  return writeHeaders(
    stored.flatMap(([name, values]) =>
      values.map((value) => [name, value === null ? null : Buffer.from(value, 'base64')] as const),
    ),
  );
}

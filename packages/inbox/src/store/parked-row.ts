import { readHeaders, writeHeaders } from '@board/kafka';
import { sizeOf, type Delivery, type ParkedDelivery, type RecordHeaders } from '../record.ts';
import type { ConsumerKey } from './store.ts';

export function toRow(
  { group, aggregateType }: ConsumerKey,
  delivery: Delivery,
  nowMs: number,
): unknown[] {
  const { identity, record } = delivery;
  return [
    group,
    aggregateType,
    identity.aggregateId,
    identity.version,
    identity.eventId,
    delivery.kind,
    delivery.attempt,
    delivery.firstFailedAtMs ?? null,
    delivery.replayed ? 1 : 0,
    record.origin.topic,
    record.origin.partition,
    record.origin.offset,
    record.origin.timestampMs,
    record.key,
    record.value,
    record.headers.bytes,
    sizeOf(record),
    nowMs,
  ];
}

export function fromRow(row: ParkedRow): ParkedDelivery {
  return {
    kind: row.kind,
    identity: { aggregateId: row.aggregateid, version: row.version, eventId: row.event_id },
    takenFrom: 'parked',
    parkedAtMs: Number(row.parked_at),
    attempt: row.attempt,
    firstFailedAtMs: row.first_failed_at === null ? undefined : Number(row.first_failed_at),
    replayed: row.replayed === 1,
    record: {
      origin: {
        topic: row.topic,
        partition: row.kafka_partition,
        offset: String(row.kafka_offset),
        timestampMs: Number(row.appended_at),
      },
      key: row.record_key,
      value: row.record_value,
      headers: readStoredHeaders(row.headers),
    },
  };
}

export interface ParkedRow {
  readonly aggregateid: string;
  readonly version: number;
  readonly event_id: string;
  readonly kind: Delivery['kind'];
  readonly attempt: number;
  readonly first_failed_at: string | number | null;
  readonly replayed: number;
  readonly topic: string;
  readonly kafka_partition: number;
  readonly kafka_offset: string | number;
  readonly appended_at: string | number;
  readonly record_key: Buffer | null;
  readonly record_value: Buffer | null;
  readonly headers: Buffer;
  readonly parked_at: string | number;
}

/**
 * Rows that an earlier version parked hold JSON; as a block of headers its first byte would be a
 * negative count.
 */
const jsonBegin = '['.charCodeAt(0);

type StoredJson = readonly (readonly [
  name: string,
  values: readonly (string | null)[],
  repeated: boolean,
])[];

/** The headers of a parked row, byte for byte; throws when the row is damaged. */
export function readStoredHeaders(bytes: Buffer): RecordHeaders {
  if (bytes[0] === jsonBegin) return fromJson(bytes);
  const headers = readHeaders(bytes);
  // A record whose headers cannot be read has no identity, so it was never parked like this.
  if (headers.problem !== undefined)
    throw new Error(`the headers of a parked row are damaged: ${headers.problem}`);
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

import type { Consumer } from '../consumer.ts';
import type { Delivery } from '../delivery.ts';
import { sizeOf } from '../record.ts';
import { readStoredHeaders } from './stored-headers.ts';

export function toRow(consumer: Consumer, delivery: Delivery, nowMs: number): unknown[] {
  const { identity, record } = delivery;
  return [
    consumer.group,
    consumer.aggregateType,
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

export function fromRow(row: ParkedRow): Delivery {
  return {
    kind: row.kind,
    identity: { aggregateId: row.aggregateid, version: row.version, eventId: row.event_id },
    takenFrom: 'parked',
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
}

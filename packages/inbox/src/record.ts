import { createHash } from 'node:crypto';
import { headerNames } from '@board/contracts';
import type { RecordHeaders } from '@board/kafka';

export type { RecordHeaders };

/** Where a record first stood: its place in the source topic, whatever way it travelled since. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  /** Decimal, may pass 2^53. */
  readonly offset: string;
  /** When the broker appended it, milliseconds since the epoch. */
  readonly timestampMs: number;
}

/** What the source topic holds, untouched. */
export interface SourceRecord {
  readonly origin: Origin;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeaders;
}

/** Which event of which aggregate a record carries. */
export interface Identity {
  readonly eventId: string;
  readonly aggregateId: string;
  /** 1..2^32-1, contiguous within the aggregate. */
  readonly version: number;
}

interface DeliveredEvent {
  /**
   * `event`: to be handled; `skip-marker`: a dead letter whose place is passed over in its turn.
   */
  readonly kind: 'event' | 'skip-marker';
  readonly record: SourceRecord;
  readonly identity: Identity;
  /** The attempt that handling it now would be; the first delivery is attempt 1. */
  readonly attempt: number;
  /** When its first failed attempt ended, milliseconds since the epoch. */
  readonly firstFailedAtMs: number | undefined;
  /** Sent back from the DLQ by an operator. */
  readonly replayed: boolean;
}

/** One text for one identity: event ids are unique only as far as their writer keeps them so. */
export function identityKey({ aggregateId, version, eventId }: Identity): string {
  return `${version} ${eventId} ${aggregateId}`;
}

/** A record in hand, with what is known about its way here. */
export type Delivery = ReceivedDelivery | ParkedDelivery;

interface ReceivedDelivery extends DeliveredEvent {
  readonly takenFrom: 'source' | 'retry';
}

/** Taken from its parked row. */
export interface ParkedDelivery extends DeliveredEvent {
  readonly takenFrom: 'parked';
  /**
   * Milliseconds since the epoch, one more with each copy that was parked over it: which state of
   * the row this is.
   */
  readonly parkedAtMs: number;
}

/** Why a record is a dead letter; stored in the index and in the record's headers. */
export const deadLetterReasons = [
  'attempts-exhausted',
  'invalid-event',
  'no-identity',
  'conflict',
  'discarded',
  /** It fails alone, in a way that no table knows, while other records are processed. */
  'unprocessable',
] as const;

export type DeadLetterReason = (typeof deadLetterReasons)[number];

/** What a bare dead letter says of the record, or the batch of records, that it does not hold. */
interface Bare {
  /** The last offset of the batch; the record's own for a single one. */
  readonly lastOffset: string;
  readonly bytes: number;
  /** As `digestOf`. */
  readonly digest: string;
}

/** The failure that made a record a dead letter. */
export interface LastFailure {
  readonly record: SourceRecord;
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly attempts: number;
  readonly firstFailedAtMs: number | undefined;
  /** Undefined: the dead letter holds the record. */
  readonly bare: Bare | undefined;
}

/** The text of a header that occurs exactly once and has a value, else undefined. */
export function headerText(headers: RecordHeaders, name: string): string | undefined {
  let found: Buffer | null | undefined;
  for (const [header, value] of headers.entries) {
    if (header !== name) continue;
    if (found !== undefined) return undefined;
    found = value;
  }
  return found?.toString();
}

/** SHA-256 over key, value and headers, in hex: two records with one digest are one to the byte. */
export function digestOf({
  key,
  value,
  headers,
}: Pick<SourceRecord, 'key' | 'value' | 'headers'>): string {
  const hash = createHash('sha256');
  for (const part of [key, value, headers.bytes])
    hash.update(`${part?.length ?? -1} `).update(part ?? '');
  return hash.digest('hex');
}

/** Bytes of key, value and headers. */
export function sizeOf({
  key,
  value,
  headers,
}: Pick<SourceRecord, 'key' | 'value' | 'headers'>): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headers.bytes.length;
}

const traceparentLength = 55;

/**
 * The W3C trace context of the request that caused the event, as log lines carry it: bounded,
 * whatever the header holds.
 */
export function traceparentOf(headers: RecordHeaders): string | undefined {
  return headerText(headers, headerNames.traceparent)?.slice(0, traceparentLength);
}

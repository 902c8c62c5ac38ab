import { headerNames } from '@board/contracts';

/** Header values as kafkajs hands them out: bytes, several when a header is repeated, null when the producer sent null. */
export type RecordHeaders = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined | null>>;

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

/** The text of a header that occurs exactly once, else undefined. */
export function headerText(headers: RecordHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined || value === null || Array.isArray(value)) return undefined;
  return value.toString();
}

const traceparentLength = 55;

/** The W3C trace context of the request that caused the event, as log lines carry it: bounded, whoever wrote it. */
export function traceparentOf(headers: RecordHeaders): string | undefined {
  return headerText(headers, headerNames.traceparent)?.slice(0, traceparentLength);
}

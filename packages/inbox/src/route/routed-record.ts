import type { SendableHeaders } from './route-headers.ts';

/** A record on its way to a retry topic or the DLQ. */
export interface RoutedRecord {
  readonly topic: string;
  /** The source record's partition number: retry topics and DLQ have as many. */
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: SendableHeaders;
}

/** Of its parts; what Kafka adds around them is less than a thousandth, and some hundred bytes. */
export function bytesOf({ key, value, headers }: RoutedRecord): number {
  return Object.entries(headers).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text),
    (key?.length ?? 0) + (value?.length ?? 0),
  );
}

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

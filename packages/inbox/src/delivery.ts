import type { Identity } from './decide/identity.ts';
import type { SourceRecord } from './record.ts';

/** A record in hand, with what is known about its way here. */
export interface Delivery {
  /** `event`: to be handled; `skip-marker`: a dead letter whose place is passed over in its turn. */
  readonly kind: 'event' | 'skip-marker';
  readonly record: SourceRecord;
  readonly identity: Identity;
  /** Where it was taken from this time. */
  readonly takenFrom: 'source' | 'retry' | 'parked';
  /** The attempt that handling it now would be; the first delivery is attempt 1. */
  readonly attempt: number;
  /** When its first failed attempt ended, milliseconds since the epoch. */
  readonly firstFailedAtMs: number | undefined;
  /** Sent back from the DLQ by an operator. */
  readonly replayed: boolean;
}

import type { Rejected } from '../decide/plan.ts';
import type { Delivery } from '../delivery.ts';

/** What became of a batch; everything but the last three is settled in the database. */
export interface Applied {
  readonly applied: readonly Delivery[];
  readonly duplicates: readonly Delivery[];
  readonly parked: readonly Delivery[];
  /** Aggregates whose next event may be parked. */
  readonly drainable: readonly string[];
  /** The handler threw or was too late: to a retry topic. */
  readonly failed: readonly Rejected[];
  /** Can never be applied: to the DLQ. */
  readonly invalid: readonly Rejected[];
  /** Another event holds their place: to the DLQ. */
  readonly conflicts: readonly Delivery[];
}

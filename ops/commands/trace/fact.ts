/** What became of an event, at one moment. */
export type Step =
  | { readonly kind: 'received'; readonly by: string; readonly requestId?: string }
  /** The time that the change itself carries; the row and the record have it. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'committed'; readonly by: string }
  | {
      readonly kind: 'in topic';
      readonly topic: string;
      readonly partition: number;
      readonly offset: string;
    }
  | {
      readonly kind: 'failed';
      readonly by: string;
      readonly attempt: number;
      readonly tier: number;
      readonly error: string;
    }
  /** Failed for the last time while the circuit breaker was open: tried again without counting. */
  | {
      readonly kind: 'postponed';
      readonly by: string;
      readonly attempt: number;
      readonly error: string;
    }
  | { readonly kind: 'parked'; readonly by?: string }
  | {
      readonly kind: 'dead letter';
      readonly reason: string;
      readonly attempts: number;
      readonly error: string;
      readonly dlqOffset: string;
      readonly by?: string;
    }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'closed'; readonly how: string }
  | { readonly kind: 'skipped'; readonly decidedBy: string; readonly reason: string }
  | { readonly kind: 'applied'; readonly by: string; readonly attempt: number };

/** What one source knows of one event of the board. */
export interface Fact {
  readonly version: number;
  readonly eventId?: string | undefined;
  readonly eventType?: string | undefined;
  readonly traceparent?: string | undefined;
  /** Milliseconds since the epoch, by the clock of its source. */
  readonly atMs: number;
  readonly step: Step;
}

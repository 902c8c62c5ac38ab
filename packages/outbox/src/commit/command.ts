import type { OutboxEvent } from '../outbox-event.ts';
import type { IdempotencyKey } from '../database/idempotency-keys.ts';

/** A wish to change one aggregate; what it leads to is decided inside the transaction that writes it. */
export interface Command<State, Refusal> {
  readonly aggregateId: string;
  /** Made on acceptance: when the answer to a COMMIT is lost, it tells whether the event was stored. */
  readonly eventId: string;
  /** `new`: the id was made for this command, so there is no row to lock. */
  readonly target: 'new' | 'existing';
  /** Rough size of what will be written; counts against the limits of a batch and of the queue. */
  readonly bytes: number;
  readonly key?: IdempotencyKey | undefined;
  /** Pure, as it runs again when its transaction does; throws when the event breaks its contract. */
  readonly decide: (state: State | undefined) => Decision<State, Refusal>;
}

export type Decision<State, Refusal> = Change<State> | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** A row and its event: written together or not at all. */
export interface Change<State> {
  readonly kind: 'change';
  /** The aggregate after the change. */
  readonly state: State;
  readonly event: OutboxEvent;
  /** Kept with the idempotency key; what a repeat is answered with. */
  readonly answer?: Buffer | undefined;
}

export type Outcome<State, Refusal> =
  | { readonly kind: 'committed'; readonly state: State }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The key was used before, with the same fingerprint: the answer of then. */
  | { readonly kind: 'repeated'; readonly answer: Buffer }
  /** The first request with this key has no outcome yet, here or on another instance. */
  | { readonly kind: 'key-running' }
  /** The key was used before, with another fingerprint. */
  | { readonly kind: 'key-reused' };

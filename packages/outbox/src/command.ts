import type { EntityManager } from 'typeorm';

/*
 * The words of this package:
 *
 * aggregate  what events are numbered in, as a board is; its owner keeps one row of it, into which the outbox never looks
 * command    an order to change one aggregate; what it leads to is decided under the lock of the aggregate's row
 * decision   what a command makes of the aggregate as it is: a change or a refusal
 * change     the next state of the aggregate and the event that tells of it: written together or not at all
 * outcome    what became of a command
 * key        the name that a client gave its request: a repeat with it gets the first answer
 *
 * State and Refusal are the owner's own types. Inside of this package they are unknown: nothing here may depend on them.
 */

/** An order to change one aggregate. */
export interface Command<State = unknown, Refusal = unknown> {
  readonly aggregateId: string;
  /**
   * Made on acceptance: when the answer to a COMMIT is lost, it tells whether the event was stored.
   */
  readonly eventId: string;
  /** `new`: the id was made for this command, so there is no row to lock. */
  readonly target: 'new' | 'existing';
  /** Rough size of what will be written; counts against the limits of a batch and of the queue. */
  readonly bytes: number;
  readonly key?: IdempotencyKey | undefined;
  /**
   * Pure, as it runs again when its transaction does; throws when the event breaks its contract.
   */
  readonly decide: (state: State | undefined) => Decision<State, Refusal>;
}

/** What a client named its request, and what the request was: 32 bytes of SHA-256 each. */
export interface IdempotencyKey {
  readonly hash: Buffer;
  readonly fingerprint: Buffer;
}

export type Decision<State = unknown, Refusal = unknown> =
  | Change<State>
  /** Nothing is written, and the key stays free. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

export interface Change<State = unknown> {
  readonly kind: 'change';
  /** The aggregate after the change. */
  readonly state: State;
  readonly event: OutboxEvent;
  /**
   * What the client is told, and every repeat with the same key; a command with a key must have
   * one.
   */
  readonly answer?: Buffer | undefined;
}

/** An event as an outbox row; the Event Router makes a Kafka record of it. */
export interface OutboxEvent {
  /** UUIDv7, the command's `eventId`; also what tells a copy of a record from another event. */
  readonly id: string;
  /** The topic's name. */
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** The event's place among the events of its aggregate: 1, 2, 3, ... */
  readonly version: number;
  /** The record's key: events with the same one share a partition. */
  readonly partitionKey: string;
  readonly type: string;
  /** The record's value, in the registry's wire format. */
  readonly payload: Buffer;
  /** W3C trace context. */
  readonly traceparent: string | null;
  readonly occurredAt: Date;
}

export type Outcome<State = unknown, Refusal = unknown> =
  /** `answer` is what was kept with the key; undefined for a command without one. */
  | { readonly kind: 'committed'; readonly state: State; readonly answer: Buffer | undefined }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | KeyOutcome;

/** What became of a command whose key was used before. */
export type KeyOutcome =
  /** With the same fingerprint: the answer of then. */
  | { readonly kind: 'repeated'; readonly answer: Buffer }
  /** The first request with this key has no outcome yet, here or on another instance. */
  | { readonly kind: 'key-running' }
  /** With another fingerprint. */
  | { readonly kind: 'key-reused' };

/**
 * How the owner of an aggregate reads and writes its rows; every call happens inside the
 * transaction of the events.
 */
export interface AggregateRows<State = unknown> {
  /**
   * Locks the rows of these sorted ids and reads them; `skip` leaves out those that another
   * transaction holds.
   */
  readonly lock: (
    manager: EntityManager,
    ids: readonly string[],
    held: 'skip' | 'wait',
  ) => Promise<ReadonlyMap<string, State>>;
  /** Which of the ids have a row, locked or not. */
  readonly exist: (manager: EntityManager, ids: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly insert: (manager: EntityManager, states: readonly State[]) => Promise<void>;
  /** The rows are locked by this transaction. */
  readonly update: (manager: EntityManager, states: readonly State[]) => Promise<void>;
}

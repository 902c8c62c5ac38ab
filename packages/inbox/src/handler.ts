import type { EntityManager } from 'typeorm';

/** An event decoded on its way to a handler. */
export interface Message<E = DecodedEvent> {
  readonly event: E;
  readonly eventId: string;
  readonly aggregateId: string;
  readonly version: number;
  /** Counts from 1, the first delivery included. */
  readonly attempt: number;
  /** W3C trace context of the request that caused the event. */
  readonly traceparent: string | undefined;
}

/** What every event looks like once decoded: its type and the fields of its Avro record. */
export interface DecodedEvent {
  readonly type: string;
  readonly data: unknown;
}

/**
 * The effect of a consumer. It runs inside the transaction that moves the marks, so it writes
 * through `tx` only; an InvalidEventError says that the event can never be applied, any other error
 * that it may be tried again.
 */
export interface Handler<E = DecodedEvent> {
  /**
   * After a dead letter: `block` keeps the aggregate's later events parked; `skip` passes over
   * spent attempts and invalid events (for events with full state only). What is `unprocessable`
   * always blocks: it is not known whose fault it is.
   */
  readonly afterDeadLetter: 'block' | 'skip';
  handle(message: Message<E>, tx: EntityManager, signal: AbortSignal): Promise<void>;
  /** Applies many at once; the same effect as `handle` on each, in order. */
  handleBatch?(
    messages: readonly Message<E>[],
    tx: EntityManager,
    signal: AbortSignal,
  ): Promise<void>;
}

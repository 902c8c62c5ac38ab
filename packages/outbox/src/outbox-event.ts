/** An event as an outbox row; the Event Router makes a Kafka record of it. */
export interface OutboxEvent {
  /** UUIDv7; also what tells a copy of a record from another event. */
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

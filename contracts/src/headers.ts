/** Names of the headers that the Event Router puts on every record; every value is UTF-8 text. */
export const headerNames = {
  /** UUIDv7 of the event, `outbox.id`. */
  eventId: 'id',
  /** `BoardCreated`, `BoardEdited` or `BoardDeleted`. */
  eventType: 'eventType',
  aggregateId: 'aggregateId',
  /** Decimal, 1..2^32-1: the event's place among the events of its aggregate. */
  version: 'version',
  /**
   * W3C trace context of the request that caused the event; the header's value is null without one.
   */
  traceparent: 'traceparent',
  /** When the change was made: microseconds since the epoch, decimal. */
  occurredAt: 'occurredAt',
} as const;

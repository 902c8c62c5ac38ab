import { boardTopic } from '@board/contracts';
import type { OutboxEvent } from '@board/outbox';
import type { BoardChange, BoardOrder } from '../application/ports.ts';
import type { EventEncoder } from './create-event-encoder.ts';

/** The outbox row of a change. */
export function toOutboxEvent(
  { board, event }: BoardChange,
  { eventId, occurredAt, traceparent }: Pick<BoardOrder, 'eventId' | 'occurredAt' | 'traceparent'>,
  encoder: EventEncoder,
): OutboxEvent {
  return {
    id: eventId,
    aggregateType: boardTopic.name,
    aggregateId: board.id,
    version: board.version,
    // One author's events share a partition; without an author the board is its own, for a null key would scatter its events.
    partitionKey: board.author ?? board.id,
    type: event.type,
    payload: encoder.encode(event),
    traceparent,
    occurredAt,
  };
}

import type { EntityManager } from 'typeorm';
import type { OutboxEvent } from '../outbox-event.ts';

/** Inserts the events in one statement; rows are never updated, and only the purge deletes them. */
export async function insertOutbox(manager: EntityManager, events: readonly OutboxEvent[]): Promise<void> {
  const rows = events.map((event) => [
    event.id,
    event.aggregateType,
    event.aggregateId,
    event.version,
    event.partitionKey,
    event.type,
    event.payload,
    event.traceparent,
    event.occurredAt,
  ]);
  await manager.query(
    `INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, traceparent, occurred_at)
     VALUES ?`,
    [rows],
  );
}

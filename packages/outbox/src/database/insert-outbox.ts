import type { EntityManager } from 'typeorm';
import type { OutboxEvent } from '../outbox-event.ts';
import { outboxTable } from './outbox-table.ts';

/** Inserts the events in one statement; rows are never updated, and only the purge deletes them. */
export async function insertOutbox(manager: EntityManager, events: readonly OutboxEvent[]): Promise<void> {
  const insert = manager.createQueryBuilder().insert().into(outboxTable);
  await insert
    .values([...events])
    .updateEntity(false)
    .execute();
}

export { createIdempotencyTable } from './database/idempotency-table.ts';
export { createOutboxTable, outboxTable } from './database/outbox-table.ts';
export { createUnitOfWork, type UnitOfWork, type UnitOfWorkParts } from './database/unit-of-work.ts';
export type { OutboxEvent } from './outbox-event.ts';

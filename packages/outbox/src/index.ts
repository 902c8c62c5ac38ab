export type { AggregateRows } from './commit/aggregate-rows.ts';
export type { Change, Command, Decision, Outcome } from './commit/command.ts';
export { defaultCommitLimits, type CommitLimits } from './commit/commit-limits.ts';
export { createCommitMetrics, type CommitMetrics } from './commit/commit-metrics.ts';
export { createGroupCommit, type GroupCommit, type GroupCommitOptions } from './commit/create-group-commit.ts';
export { createIdempotencyTable } from './database/idempotency-table.ts';
export type { IdempotencyKey } from './database/idempotency-keys.ts';
export { createOutboxTable } from './database/outbox-table.ts';
export type { OutboxEvent } from './outbox-event.ts';

export type { AggregateRows } from './commit/aggregate-rows.ts';
export type { Change, Command, Decision, Outcome } from './commit/command.ts';
export { defaultCommitLimits, type CommitLimits } from './commit/commit-limits.ts';
export { createCommitMetrics, type CommitMetrics } from './commit/commit-metrics.ts';
export { createGroupCommit, type GroupCommit, type GroupCommitOptions } from './commit/create-group-commit.ts';
export { createIdempotencyTable } from './database/idempotency-table.ts';
export type { IdempotencyKey } from './database/idempotency-keys.ts';
export { createOutboxTable, payloadLimitBytes } from './database/outbox-table.ts';
export type { OutboxEvent } from './outbox-event.ts';
export { outboxStatus, type OutboxStatus } from './purge/outbox-status.ts';
export { purgeKeys, type KeyPurge } from './purge/purge-keys.ts';
export {
  minRetentionMs,
  purgeOutbox,
  type KeptRows,
  type OutboxPurge,
  type PurgeOutcome,
} from './purge/purge-outbox.ts';
export { describeKept } from './purge/describe-kept.ts';
export type { OldRow } from './purge/list-old-rows.ts';
export type { PurgeSession } from './purge/purge-session.ts';

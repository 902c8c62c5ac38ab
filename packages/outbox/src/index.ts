// The producer side: README.md states its guarantee. A service commits through `createGroupCommit`.
export { createGroupCommit, type GroupCommit, type GroupCommitOptions } from './group-commit.ts';
export type {
  AggregateRows,
  Change,
  Command,
  Decision,
  IdempotencyKey,
  Outcome,
  OutboxEvent,
} from './command.ts';
export { defaultCommitLimits, type CommitLimits } from './commit-limits.ts';
export { createCommitMetrics, type CommitMetrics } from './commit-metrics.ts';
// For the migrations of the service that owns the database.
export { createIdempotencyTable } from './idempotency-keys.ts';
export { allowAggregateTypes, createOutboxTable, payloadLimitBytes } from './outbox-table.ts';
// For the keeper and the operator's commands.
export { outboxStatus, type OldRow, type OutboxStatus, type PurgeSession } from './outbox-table.ts';
export {
  describeKept,
  minRetentionMs,
  purgeKeys,
  purgeOutbox,
  type KeptRows,
  type KeyPurge,
  type OutboxPurge,
  type PurgeOutcome,
} from './purge.ts';

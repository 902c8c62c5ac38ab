// The producer half: README.md says what it guarantees. A service commits through
// `createGroupCommit`.
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
export {
  allowAggregateTypes,
  createIdempotencyTable,
  createOutboxTable,
  payloadLimitBytes,
} from './tables.ts';
// For the keeper and the operator's commands.
export type { OldRow, PurgeSession } from './old-rows.ts';
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
export { outboxStatus, type OutboxStatus } from './tables.ts';

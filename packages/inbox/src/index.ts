export { auditConsumer, unaudited, type AuditOptions, type Barrier } from './audit/audit.ts';
export { auditedTopics, type AuditedTopics } from './audit/topics.ts';
export { findUnread } from './audit/topics.ts';
export { findUnreceived, type CommittedEvent, type Unreceived } from './audit/topics.ts';
export type { AuditReport } from './audit/compare.ts';
export type {
  ConsumerEntry,
  ConsumerSide,
  Digest,
  IdRange,
  SourceEntry,
  SourceSide,
} from './audit/compare.ts';
export { redVerdicts, verdicts } from './audit/compare.ts';
export { waitForGroups } from './audit/topics.ts';
export { probeAggregateId, type Mark } from './decide.ts';
export { inboxMigrations } from './store/migrations.ts';
export { InfrastructureError, InvalidEventError } from './errors.ts';
export type { DecodedEvent, Handler, Message } from './handler.ts';
export { defaultSettings, type InboxSettings } from './settings.ts';
export { unpackedHeaders } from './fail/headers.ts';
export { deadLetterReasons } from './record.ts';
export {
  consumerEnvironment,
  runConsumerService,
  startInbox,
  type ConsumerService,
  type InboxOptions,
} from './start-inbox.ts';
export { baseline, type BaselineOutcome, type BaselineRow } from './operator/begin-again.ts';
export { discardParked, type DiscardOutcome } from './operator/give-up.ts';
export {
  dismissDeadLetter,
  dismissWithoutIdentity,
  type DismissOutcome,
} from './operator/give-up.ts';
export { findTopicGaps, type TopicGap } from './operator/topics.ts';
export { inboxStatus, type InboxStatus } from './operator/status.ts';
export type { DeadLetterFilter } from './operator/dead-letter-index.ts';
export type { DeadLetterEntry } from './operator/dead-letter-index.ts';
export { listDeadLetters } from './operator/list-dead-letters.ts';
export type { Operator } from './operator/operator.ts';
export {
  compareSchemas,
  forgetKnown,
  keepStored,
  refuseSchema,
  storeSchema,
  type ComparedSchema,
} from './operator/schemas.ts';
export { rebuild, type RebuildOutcome } from './operator/begin-again.ts';
export { replayDeadLetters, type Replay } from './operator/replay.ts';
export { showDeadLetters, type ShownDeadLetter } from './operator/show-dead-letters.ts';
export { trimRetries } from './operator/topics.ts';
export { skipVersion, type SkipOutcome } from './operator/skip.ts';

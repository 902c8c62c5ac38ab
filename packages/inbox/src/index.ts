export { auditConsumer, unaudited, type AuditOptions, type Barrier } from './audit/audit.ts';
export {
  redVerdicts,
  verdicts,
  type AuditReport,
  type ConsumerEntry,
  type ConsumerSide,
  type Digest,
  type IdRange,
  type SourceEntry,
  type SourceSide,
} from './audit/compare.ts';
export { findUnreceived, type CommittedEvent, type Unreceived } from './audit/find-unreceived.ts';
export { auditedTopics, findUnread, waitForGroups, type AuditedTopics } from './audit/topics.ts';
export { selfTestAggregateId, type Mark } from './decide.ts';
export { InfrastructureError, InvalidEventError } from './errors.ts';
export { unpackedHeaders } from './fail/headers.ts';
export type { DecodedEvent, Handler, Message } from './handler.ts';
export {
  baseline,
  rebuild,
  type BaselineOutcome,
  type BaselineRow,
  type RebuildOutcome,
} from './operator/begin-again.ts';
export type { DeadLetterEntry, DeadLetterFilter } from './operator/dead-letter-index.ts';
export {
  discardParked,
  dismissDeadLetter,
  dismissWithoutIdentity,
  type DiscardOutcome,
  type DismissOutcome,
} from './operator/give-up.ts';
export { listDeadLetters } from './operator/list-dead-letters.ts';
export type { Operator } from './operator/operator.ts';
export { replayDeadLetters, type Replay } from './operator/replay.ts';
export {
  compareSchemas,
  forgetKnown,
  keepStored,
  refuseSchema,
  storeSchema,
  type ComparedSchema,
} from './operator/schemas.ts';
export { showDeadLetters, type ShownDeadLetter } from './operator/show-dead-letters.ts';
export { skipVersion, type SkipOutcome } from './operator/skip.ts';
export { inboxStatus, type InboxStatus } from './operator/status.ts';
export { findTopicGaps, trimRetries, type TopicGap } from './operator/topics.ts';
export { deadLetterReasons } from './record.ts';
export { defaultSettings, type InboxSettings } from './settings.ts';
export {
  consumerEnvironment,
  runConsumerService,
  startInbox,
  type ConsumerService,
  type InboxOptions,
} from './start-inbox.ts';
export { inboxMigrations } from './store/migrations.ts';

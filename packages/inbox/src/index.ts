export { auditConsumer, type AuditOptions, type Barrier } from './audit/audit-consumer.ts';
export { auditedTopics, type AuditedTopics } from './audit/audited-topics.ts';
export { findUnread } from './audit/find-unread.ts';
export { findUnreceived, type CommittedEvent, type Unreceived } from './audit/find-unreceived.ts';
export type { AuditReport } from './audit/report.ts';
export type { ConsumerEntry, ConsumerSide, Digest, IdRange, SourceEntry, SourceSide } from './audit/sides.ts';
export { redVerdicts, verdicts } from './audit/verdict.ts';
export { waitForGroups } from './audit/wait-for-groups.ts';
export { probeAggregateId, type Mark } from './decide.ts';
export { inboxMigrations } from './store/migrations.ts';
export { InfrastructureError, InvalidEventError } from './errors.ts';
export type { DecodedEvent, Handler, Message } from './handler.ts';
export { defaultSettings, type InboxSettings } from './settings.ts';
export { unpackedHeaders } from './fail/headers.ts';
export { deadLetterReasons } from './record.ts';
export { startInbox, type InboxOptions } from './start-inbox.ts';
export { baseline, type BaselineOutcome, type BaselineRow } from './operator/baseline.ts';
export { discardParked, type DiscardOutcome } from './operator/discard-parked.ts';
export { dismissLetter, dismissWithoutIdentity, type DismissOutcome } from './operator/dismiss-letter.ts';
export { findTopicGaps, type TopicGap } from './operator/find-topic-gaps.ts';
export { inboxStatus, type InboxStatus } from './operator/inbox-status.ts';
export type { LetterFilter } from './operator/letter-filter.ts';
export type { Letter } from './operator/letter.ts';
export { listLetters } from './operator/list-letters.ts';
export type { Operator } from './operator/operator.ts';
export {
  compareSchemas,
  forgetKnown,
  keepStored,
  refuseSchema,
  storeSchema,
  type ComparedSchema,
} from './operator/known-schemas.ts';
export { rebuild, type RebuildOutcome } from './operator/rebuild.ts';
export { replayLetters, type Replay } from './operator/replay-letters.ts';
export { showLetters, type ShownLetter } from './operator/show-letters.ts';
export { trimRetries } from './operator/trim-retries.ts';
export { skipVersion, type SkipOutcome } from './operator/skip-version.ts';

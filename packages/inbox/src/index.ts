export { auditConsumer, type AuditOptions, type Barrier } from './audit/audit-consumer.ts';
export { auditedTopics, type AuditedTopics } from './audit/audited-topics.ts';
export { findUnread } from './audit/find-unread.ts';
export { findUnreceived, type CommittedEvent, type Unreceived } from './audit/find-unreceived.ts';
export type { AuditReport } from './audit/report.ts';
export type { ConsumerEntry, ConsumerSide, Digest, IdRange, SourceEntry, SourceSide } from './audit/sides.ts';
export { redVerdicts, verdicts } from './audit/verdict.ts';
export { waitForGroups } from './audit/wait-for-groups.ts';
export { probeAggregateId } from './decide/identity.ts';
export type { Mark } from './decide/decide.ts';
export { inboxMigrations } from './database/migrations.ts';
export { InfrastructureError, InvalidEventError } from './errors.ts';
export type { DecodedEvent, Handler, Message } from './handler.ts';
export { defaultSettings, type InboxSettings } from './settings.ts';
export { unpackedHeaders } from './route/route-headers.ts';
export { deadLetterReasons } from './route/to-dead-letter.ts';
export { startInbox, type InboxOptions } from './start-inbox.ts';
export { baseline, type BaselineOutcome, type BaselineRow } from './operate/baseline.ts';
export { discardParked, type DiscardOutcome } from './operate/discard-parked.ts';
export { dismissLetter, dismissWithoutIdentity, type DismissOutcome } from './operate/dismiss-letter.ts';
export { findTopicGaps, type TopicGap } from './operate/find-topic-gaps.ts';
export { inboxStatus, type InboxStatus } from './operate/inbox-status.ts';
export type { LetterFilter } from './operate/letter-filter.ts';
export type { Letter } from './operate/letter.ts';
export { listLetters } from './operate/list-letters.ts';
export type { Operator } from './operate/operator.ts';
export {
  compareSchemas,
  forgetKnown,
  keepStored,
  refuseSchema,
  storeSchema,
  type ComparedSchema,
} from './operate/known-schemas.ts';
export { rebuild, type RebuildOutcome } from './operate/rebuild.ts';
export { replayLetters, type Replay } from './operate/replay-letters.ts';
export { showLetters, type ShownLetter } from './operate/show-letters.ts';
export { trimRetries } from './operate/trim-retries.ts';
export { skipVersion, type SkipOutcome } from './operate/skip-version.ts';

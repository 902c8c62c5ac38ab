import type { DeadLetterReason, Origin } from '../record.ts';
import type { ConsumerKey } from '../store/store.ts';

/**
 * A dead letter as the index knows it, beside the mark of its aggregate; times are milliseconds
 * since the epoch.
 */
export interface DeadLetterEntry {
  /** The event id, or `topic/partition/offset` of a record without identity. */
  readonly id: string;
  readonly reason: DeadLetterReason;
  readonly aggregateId: string | null;
  readonly version: number | null;
  readonly eventId: string | null;
  readonly attempts: number;
  readonly errorClass: string;
  readonly errorMessage: string;
  readonly origin: Omit<Origin, 'timestampMs'>;
  /** The last offset of the batch that it stands for; the origin's own for a single record. */
  readonly lastOffset: string;
  /** It does not hold its record: the DLQ refused it, or it could not be decoded. */
  readonly isBare: boolean;
  readonly dlqPartition: number;
  readonly dlqOffset: string;
  readonly copies: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  readonly closedAt: number | null;
  readonly closedBy: 'applied' | 'skipped' | 'dismissed' | null;
  readonly closedReason: string | null;
  /** 0 before the aggregate's first event. */
  readonly markVersion: number;
  /** What passed over this very event. */
  readonly skippedBy: 'policy' | 'hand' | null;
  readonly replays: number;
  readonly replayedAt: number | null;
  /** The copy that was replayed last is the one that the index names: nothing has failed since. */
  readonly isReplayPending: boolean;
}

/** FROM and SELECT of every query that yields dead letters. */
export const selectDeadLetters = `SELECT dead_letter.*, COALESCE(mark.version, 0) AS mark_version, skipped.decided_by AS skipped_by,
  letter_replay.replays, letter_replay.replayed_at,
  letter_replay.dlq_partition <=> dead_letter.dlq_partition AND letter_replay.dlq_offset <=> dead_letter.dlq_offset AS pending
FROM dead_letter
LEFT JOIN mark ON mark.consumer = dead_letter.consumer AND mark.aggregatetype = dead_letter.aggregatetype
  AND mark.aggregateid = dead_letter.aggregateid
LEFT JOIN skipped ON skipped.consumer = dead_letter.consumer AND skipped.aggregatetype = dead_letter.aggregatetype
  AND skipped.aggregateid = dead_letter.aggregateid AND skipped.version = dead_letter.version
  AND skipped.event_id = dead_letter.event_id
LEFT JOIN letter_replay ON letter_replay.consumer = dead_letter.consumer AND letter_replay.letter = dead_letter.letter`;

export interface DeadLetterEntryRow {
  readonly letter: string;
  readonly reason: DeadLetterReason;
  readonly aggregateid: string | null;
  readonly version: number | null;
  readonly event_id: string | null;
  readonly attempts: number;
  readonly error_class: string;
  readonly error_message: string;
  readonly topic: string;
  readonly kafka_partition: number;
  readonly kafka_offset: string | number;
  readonly last_offset: string | number | null;
  readonly bare: number;
  readonly dlq_partition: number;
  readonly dlq_offset: string | number;
  readonly copies: number;
  readonly first_failed_at: string | number;
  readonly last_failed_at: string | number;
  readonly closed_at: string | number | null;
  readonly closed_by: DeadLetterEntry['closedBy'];
  readonly closed_reason: string | null;
  readonly mark_version: string | number;
  readonly skipped_by: DeadLetterEntry['skippedBy'];
  readonly replays: number | null;
  readonly replayed_at: string | number | null;
  readonly pending: string | number;
}

export function toDeadLetterEntry(row: DeadLetterEntryRow): DeadLetterEntry {
  return {
    id: row.letter,
    reason: row.reason,
    aggregateId: row.aggregateid,
    version: row.version,
    eventId: row.event_id,
    attempts: row.attempts,
    errorClass: row.error_class,
    errorMessage: row.error_message,
    origin: { topic: row.topic, partition: row.kafka_partition, offset: String(row.kafka_offset) },
    lastOffset: String(row.last_offset ?? row.kafka_offset),
    isBare: row.bare === 1,
    dlqPartition: row.dlq_partition,
    dlqOffset: String(row.dlq_offset),
    copies: row.copies,
    firstFailedAt: Number(row.first_failed_at),
    lastFailedAt: Number(row.last_failed_at),
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
    closedBy: row.closed_by,
    closedReason: row.closed_reason,
    markVersion: Number(row.mark_version),
    skippedBy: row.skipped_by,
    replays: row.replays ?? 0,
    replayedAt: row.replayed_at === null ? null : Number(row.replayed_at),
    isReplayPending: Number(row.pending) === 1,
  };
}

/** Which dead letters; what is not named does not narrow. */
export interface DeadLetterFilter {
  /** Default `open`. */
  readonly state?: 'open' | 'closed' | 'all';
  readonly ids?: readonly string[];
  readonly reason?: DeadLetterReason;
  readonly aggregateId?: string;
  /** Part of the error's class or message, upper or lower case. */
  readonly error?: string;
  /** Failed last at or after this time, milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Failed last before this time. */
  readonly untilMs?: number;
}

export interface Condition {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Everything of the filter but the state: see `readPage`. */
export function toCondition(consumer: ConsumerKey, filter: DeadLetterFilter): Condition {
  const parts: Condition[] = [
    { sql: 'dead_letter.consumer = ?', values: [consumer.group] },
    { sql: 'dead_letter.aggregatetype = ?', values: [consumer.aggregateType] },
  ];
  const { ids, reason, aggregateId, error, sinceMs, untilMs } = filter;
  // IN () is no SQL: an empty list matches no dead letter rather than every dead letter.
  if (ids !== undefined)
    parts.push(
      ids.length === 0
        ? { sql: 'FALSE', values: [] }
        : { sql: 'dead_letter.letter IN (?)', values: [[...ids]] },
    );
  if (reason !== undefined) parts.push({ sql: 'dead_letter.reason = ?', values: [reason] });
  if (aggregateId !== undefined)
    parts.push({ sql: 'dead_letter.aggregateid = ?', values: [aggregateId] });
  if (error !== undefined)
    parts.push({
      sql: "LOCATE(?, CONCAT(dead_letter.error_class, ': ', dead_letter.error_message)) > 0",
      values: [error],
    });
  if (sinceMs !== undefined)
    parts.push({ sql: 'dead_letter.last_failed_at >= ?', values: [sinceMs] });
  if (untilMs !== undefined)
    parts.push({ sql: 'dead_letter.last_failed_at < ?', values: [untilMs] });
  return {
    sql: parts.map((part) => part.sql).join(' AND '),
    values: parts.flatMap((part) => part.values),
  };
}

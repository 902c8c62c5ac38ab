import type { ConsumerKey } from '../store/store.ts';
import type { DeadLetterReason } from '../record.ts';

/** Which letters; what is not named does not narrow. */
export interface LetterFilter {
  /** Default `open`. */
  readonly state?: 'open' | 'closed' | 'all';
  readonly letters?: readonly string[];
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

/** Everything of the filter but the state: see `readLetterPage`. */
export function toCondition(consumer: ConsumerKey, filter: LetterFilter): Condition {
  const parts: Condition[] = [
    { sql: 'dead_letter.consumer = ?', values: [consumer.group] },
    { sql: 'dead_letter.aggregatetype = ?', values: [consumer.aggregateType] },
  ];
  const { letters, reason, aggregateId, error, sinceMs, untilMs } = filter;
  // IN () is no SQL: an empty list matches no letter rather than every letter.
  if (letters !== undefined)
    parts.push(
      letters.length === 0
        ? { sql: 'FALSE', values: [] }
        : { sql: 'dead_letter.letter IN (?)', values: [[...letters]] },
    );
  if (reason !== undefined) parts.push({ sql: 'dead_letter.reason = ?', values: [reason] });
  if (aggregateId !== undefined) parts.push({ sql: 'dead_letter.aggregateid = ?', values: [aggregateId] });
  if (error !== undefined)
    parts.push({
      sql: "LOCATE(?, CONCAT(dead_letter.error_class, ': ', dead_letter.error_message)) > 0",
      values: [error],
    });
  if (sinceMs !== undefined) parts.push({ sql: 'dead_letter.last_failed_at >= ?', values: [sinceMs] });
  if (untilMs !== undefined) parts.push({ sql: 'dead_letter.last_failed_at < ?', values: [untilMs] });
  return { sql: parts.map((part) => part.sql).join(' AND '), values: parts.flatMap((part) => part.values) };
}

// Flow 8/9: last failure becomes a dead letter
import { deadLetterTopicName } from '@board/contracts';
import type { SourceRecord } from '../record.ts';
import { describeError } from './describe-error.ts';
import type { RoutedRecord } from './routed-record.ts';
import { deadLetterHeaders, sendableHeaders } from './route-headers.ts';

export type DeadLetterReason = 'attempts-exhausted' | 'invalid-event' | 'no-identity' | 'conflict' | 'discarded';

export interface LastFailure {
  readonly record: SourceRecord;
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly attempts: number;
  readonly firstFailedAtMs: number | undefined;
}

/** The record that keeps what could not be applied, its bytes untouched, with why, whence and since when. */
export function toDeadLetter(
  group: string,
  { record, reason, error, attempts, firstFailedAtMs }: LastFailure,
  nowMs: number,
): RoutedRecord {
  const { errorClass, message, stack } = describeError(error);
  return {
    topic: deadLetterTopicName(group),
    partition: record.origin.partition,
    key: record.key,
    value: record.value,
    headers: {
      ...sendableHeaders(record.headers),
      [deadLetterHeaders.reason]: reason,
      [deadLetterHeaders.attempts]: String(attempts),
      [deadLetterHeaders.originTopic]: record.origin.topic,
      [deadLetterHeaders.originPartition]: String(record.origin.partition),
      [deadLetterHeaders.originOffset]: record.origin.offset,
      [deadLetterHeaders.originTimestamp]: String(record.origin.timestampMs),
      [deadLetterHeaders.group]: group,
      [deadLetterHeaders.errorClass]: errorClass,
      [deadLetterHeaders.errorMessage]: message,
      [deadLetterHeaders.stack]: stack,
      [deadLetterHeaders.firstFailedAt]: String(firstFailedAtMs ?? nowMs),
      [deadLetterHeaders.lastFailedAt]: String(nowMs),
    },
  };
}

// Flow 8/9: last failure becomes a dead letter
import { deadLetterTopicName } from '@board/contracts';
import { digestOf, sizeOf, type SourceRecord } from '../record.ts';
import { describeError } from './describe-error.ts';
import type { RoutedRecord } from './routed-record.ts';
import { deadLetterHeaders, sendableHeaders, shownHeaders } from './route-headers.ts';

export const deadLetterReasons = [
  'attempts-exhausted',
  'invalid-event',
  'no-identity',
  'conflict',
  'discarded',
  /** It fails alone, in a way that no table knows, while other records are processed. */
  'unprocessable',
] as const;

export type DeadLetterReason = (typeof deadLetterReasons)[number];

/** What a bare dead letter says of the record, or the batch of records, that it does not hold. */
interface Bare {
  /** The last offset of the batch; the record's own for a single one. */
  readonly lastOffset: string;
  readonly bytes: number;
  /** As `digestOf`. */
  readonly digest: string;
}

export interface LastFailure {
  readonly record: SourceRecord;
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  readonly attempts: number;
  readonly firstFailedAtMs: number | undefined;
  /** Undefined: the dead letter holds the record. */
  readonly bare: Bare | undefined;
}

/** The same failure for a dead letter that does not hold the record, because the DLQ refuses it or it cannot be sent. */
export function toBare(failure: LastFailure): LastFailure {
  const { record } = failure;
  return {
    ...failure,
    bare: { lastOffset: record.origin.offset, bytes: sizeOf(record), digest: digestOf(record) },
  };
}

/** The record that keeps what could not be applied, its bytes untouched unless it is bare, with why, whence and since when. */
export function toDeadLetter(
  group: string,
  { record, reason, error, attempts, firstFailedAtMs, bare }: LastFailure,
  nowMs: number,
): RoutedRecord {
  const { errorClass, message, stack } = describeError(error);
  return {
    topic: deadLetterTopicName(group),
    partition: record.origin.partition,
    key: bare === undefined ? record.key : null,
    value: bare === undefined ? record.value : null,
    headers: {
      ...(bare === undefined ? sendableHeaders(record.headers) : shownHeaders(record.headers)),
      ...(bare !== undefined && {
        [deadLetterHeaders.bareLastOffset]: bare.lastOffset,
        [deadLetterHeaders.bareBytes]: String(bare.bytes),
        [deadLetterHeaders.bareDigest]: bare.digest,
      }),
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

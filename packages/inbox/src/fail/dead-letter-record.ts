// Flow 8/9: last failure becomes a dead letter
import { deadLetterTopicName, headerNames } from '@board/contracts';
import { describeError } from '../errors.ts';
import { digestOf, headerText, sizeOf, type LastFailure, type Origin, type RecordHeaders } from '../record.ts';
import { deadLetterHeaders, sendableHeaders, shownHeaders } from './headers.ts';
import type { RoutedRecord } from './publisher.ts';

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

/**
 * Whether a DLQ record with these headers is the dead letter's: a DLQ that was deleted and made again gives the same
 * partitions and offsets to other records. An event is told by its id, whichever copy of it this is; a record without identity
 * by where it first stood.
 */
export function isRecordOf(
  { eventId, origin }: { readonly eventId: string | null; readonly origin: Omit<Origin, 'timestampMs'> },
  headers: RecordHeaders,
): boolean {
  if (eventId !== null) return headerText(headers, headerNames.eventId) === eventId;
  return (
    headerText(headers, deadLetterHeaders.originTopic) === origin.topic &&
    headerText(headers, deadLetterHeaders.originPartition) === String(origin.partition) &&
    headerText(headers, deadLetterHeaders.originOffset) === origin.offset
  );
}

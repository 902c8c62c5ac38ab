import { deadLetterTopicName, headerNames, retryTopicName } from '@board/contracts';
import { backoffMs } from '@board/service';
import { identify } from '../decide.ts';
import { describeError } from '../errors.ts';
import {
  type Delivery,
  type LastFailure,
  type Origin,
  type RecordHeaders,
  type SourceRecord,
  digestOf,
  headerText,
  sizeOf,
} from '../record.ts';
import type { InboxSettings } from '../settings.ts';
import {
  deadLetterHeaders,
  retryHeaders,
  sendableHeaders,
  shownHeaders,
  sourceHeaders,
} from './headers.ts';
import type { RoutedRecord } from './publisher.ts';

export interface FailedAttempt {
  readonly group: string;
  readonly settings: InboxSettings;
  readonly delivery: Delivery;
  /** Attempts that count as made, from 1: also the number of the tier. */
  readonly attempts: number;
  readonly error: unknown;
  readonly nowMs: number;
  readonly random: () => number;
}

/** The record that carries a failed event to one of its group's retry topics. */
export function toRetry({
  group,
  settings,
  delivery,
  attempts,
  error,
  nowMs,
  random,
}: FailedAttempt): RoutedRecord {
  const { record, firstFailedAtMs, replayed } = delivery;
  const { errorClass, message } = describeError(error);
  const { retryBaseMs: firstMs, retryFactor: factor, retryJitter: jitter } = settings;
  const delayMs = backoffMs({ firstMs, factor, jitter }, attempts, random);
  return {
    topic: retryTopicName(group, attempts),
    partition: record.origin.partition,
    key: record.key,
    value: record.value,
    headers: {
      ...sendableHeaders(record.headers),
      [retryHeaders.attempts]: String(attempts),
      [retryHeaders.dueAt]: String(nowMs + delayMs),
      [retryHeaders.originTopic]: record.origin.topic,
      [retryHeaders.originPartition]: String(record.origin.partition),
      [retryHeaders.originOffset]: record.origin.offset,
      [retryHeaders.originTimestamp]: String(record.origin.timestampMs),
      [retryHeaders.errorClass]: errorClass,
      [retryHeaders.errorMessage]: message,
      [retryHeaders.firstFailedAt]: String(firstFailedAtMs ?? nowMs),
      ...(replayed ? { [retryHeaders.replayed]: 'true' } : {}),
    },
  };
}

export type RetryReading =
  /** `dueAtMs`: milliseconds since the epoch. */
  | { readonly kind: 'delivery'; readonly delivery: Delivery; readonly dueAtMs: number }
  | { readonly kind: 'no-identity'; readonly problem: string };

/**
 * A record of a retry topic as the delivery it carries, with the headers and the origin it had in
 * its source topic.
 */
export function readRetry(record: SourceRecord): RetryReading {
  const { headers } = record;
  const source = sourceHeaders(headers);
  const identified = identify(source);
  if (identified.kind === 'no-identity') return identified;
  const problems: string[] = [];
  const integer = (name: string, otherwise: number, max = Number.MAX_SAFE_INTEGER): number => {
    const text = headerText(headers, name);
    if (text === undefined) return otherwise;
    if (/^\d{1,16}$/.test(text) && Number(text) <= max) return Number(text);
    const shown = JSON.stringify(text.slice(0, 100));
    problems.push(`header ${name} is ${shown}, must be an integer up to ${max}`);
    return otherwise;
  };
  const attempts = integer(retryHeaders.attempts, 0, maxAttempts);
  const dueAtMs = integer(retryHeaders.dueAt, 0);
  const timestampMs = integer(retryHeaders.originTimestamp, record.origin.timestampMs);
  const firstFailedAtMs = integer(retryHeaders.firstFailedAt, -1);
  const topic = headerText(headers, retryHeaders.originTopic) ?? record.origin.topic;
  const partition =
    headerText(headers, retryHeaders.originPartition) ?? String(record.origin.partition);
  const offset = headerText(headers, retryHeaders.originOffset) ?? record.origin.offset;
  if (!/^\d{1,19}$/.test(offset) || BigInt(offset) > maxOffset)
    problems.push(`header ${retryHeaders.originOffset} is no offset`);
  if (!/^[\w.-]{1,249}$/.test(topic))
    problems.push(`header ${retryHeaders.originTopic} is no name of a topic`);
  // Retry topics and DLQ are written at the number of the source's partition, so any other was
  // never there.
  if (partition !== String(record.origin.partition))
    problems.push(
      `header ${retryHeaders.originPartition} is ${JSON.stringify(partition.slice(0, 100))}, must be ${record.origin.partition}`,
    );
  if (problems[0] !== undefined) return { kind: 'no-identity', problem: problems[0] };
  return {
    kind: 'delivery',
    dueAtMs,
    delivery: {
      kind: 'event',
      identity: identified.identity,
      takenFrom: 'retry',
      attempt: attempts + 1,
      firstFailedAtMs: firstFailedAtMs < 0 ? undefined : firstFailedAtMs,
      replayed: headerText(headers, retryHeaders.replayed) !== undefined,
      record: {
        ...record,
        headers: source,
        origin: {
          topic,
          partition: record.origin.partition,
          offset,
          timestampMs,
        },
      },
    },
  };
}

/** More than any settings ask for; the database's column ends there. */
const maxAttempts = 65_000;
const maxOffset = 2n ** 63n - 1n;

/**
 * The same failure for a dead letter that does not hold the record, because the DLQ refuses it or
 * it cannot be sent.
 */
export function toBare(failure: LastFailure): LastFailure {
  const { record } = failure;
  return {
    ...failure,
    bare: { lastOffset: record.origin.offset, bytes: sizeOf(record), digest: digestOf(record) },
  };
}

/**
 * The record that keeps what could not be applied, its bytes untouched unless it is bare, with why,
 * whence and since when.
 */
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
 * Whether a DLQ record with these headers is the dead letter's: a DLQ that was deleted and made
 * again gives the same partitions and offsets to other records. An event is recognized by its id,
 * whichever copy of it this is; a record without identity by its place in the source topic.
 */
export function isRecordOf(
  {
    eventId,
    origin,
  }: { readonly eventId: string | null; readonly origin: Omit<Origin, 'timestampMs'> },
  headers: RecordHeaders,
): boolean {
  if (eventId !== null) return headerText(headers, headerNames.eventId) === eventId;
  return (
    headerText(headers, deadLetterHeaders.originTopic) === origin.topic &&
    headerText(headers, deadLetterHeaders.originPartition) === String(origin.partition) &&
    headerText(headers, deadLetterHeaders.originOffset) === origin.offset
  );
}

/**
 * The record that carries a dead letter back: to its own group's first retry topic, due now, as
 * attempt 1. `source`: the record it is about, where the dead letter is bare.
 */
export function toReplay(
  group: string,
  deadLetter: SourceRecord,
  nowMs: number,
  source?: SourceRecord,
): RoutedRecord {
  const text = (name: string): string | undefined => headerText(deadLetter.headers, name);
  const carried = {
    [retryHeaders.originTopic]: text(deadLetterHeaders.originTopic),
    [retryHeaders.originPartition]: text(deadLetterHeaders.originPartition),
    [retryHeaders.originOffset]: text(deadLetterHeaders.originOffset),
    [retryHeaders.originTimestamp]: text(deadLetterHeaders.originTimestamp),
    [retryHeaders.firstFailedAt]: text(deadLetterHeaders.firstFailedAt),
  };
  const known = Object.entries(carried).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    topic: retryTopicName(group, 1),
    partition: deadLetter.origin.partition,
    key: (source ?? deadLetter).key,
    value: (source ?? deadLetter).value,
    headers: {
      ...sendableHeaders(source?.headers ?? sourceHeaders(deadLetter.headers)),
      ...Object.fromEntries(known),
      [retryHeaders.attempts]: '0',
      [retryHeaders.dueAt]: String(nowMs),
      [retryHeaders.replayed]: 'true',
    },
  };
}

import { headerNames } from '@board/contracts';
import {
  maxHeaders,
  readHeaders,
  writeHeaders,
  type Header,
  type RecordHeaders,
} from '@board/kafka';
import { headerText } from '../record.ts';

/**
 * Headers that a record gains on its way through retry topics and into the DLQ; all values are
 * text. Names are Spring Kafka's where it has one, so that people and tools that know Spring
 * recognize them.
 */
export const retryHeaders = {
  /** Attempts made so far. */
  attempts: 'retry_topic-attempts',
  /** Not before this time, milliseconds since the epoch. */
  dueAt: 'retry_topic-backoff-timestamp',
  originTopic: 'kafka_original-topic',
  originPartition: 'kafka_original-partition',
  originOffset: 'kafka_original-offset',
  originTimestamp: 'kafka_original-timestamp',
  errorClass: 'kafka_exception-fqcn',
  errorMessage: 'kafka_exception-message',
  firstFailedAt: 'inbox-first-failed-at',
  replayed: 'inbox-replayed',
} as const;

/**
 * Headers that a dead letter has in the DLQ beside those of its source record; all values are
 * text.
 */
export const deadLetterHeaders = {
  reason: 'inbox-reason',
  attempts: 'inbox-attempts',
  originTopic: 'kafka_dlt-original-topic',
  originPartition: 'kafka_dlt-original-partition',
  originOffset: 'kafka_dlt-original-offset',
  originTimestamp: 'kafka_dlt-original-timestamp',
  group: 'kafka_dlt-original-consumer-group',
  errorClass: 'kafka_dlt-exception-fqcn',
  errorMessage: 'kafka_dlt-exception-message',
  stack: 'kafka_dlt-exception-stacktrace',
  firstFailedAt: 'inbox-first-failed-at',
  lastFailedAt: 'inbox-last-failed-at',
  /** Of a bare dead letter only: the record is not in it, and these say which it is. */
  bareLastOffset: 'inbox-bare-last-offset',
  bareBytes: 'inbox-bare-bytes',
  bareDigest: 'inbox-bare-digest',
} as const;

/**
 * The source record's block of headers, byte for byte, where kafkajs cannot send them as they are.
 */
const packed = 'inbox-headers';

/** What an earlier version wrote for them: the names of headers whose value was null. */
const nullNames = 'inbox-null-headers';

const ours: ReadonlySet<string> = new Set([
  ...Object.values(retryHeaders),
  ...Object.values(deadLetterHeaders),
  packed,
  nullNames,
]);

/** Shown beside packed headers, for people and tools that look at a retry topic or the DLQ. */
const shown = [
  headerNames.eventId,
  headerNames.eventType,
  headerNames.aggregateId,
  headerNames.version,
];

/** In the form in which kafkajs sends headers. */
export type SendableHeaders = Record<string, Buffer | string>;

/** The headers that a record of a retry topic or the DLQ had in its source topic, byte for byte. */
export function sourceHeaders(headers: RecordHeaders): RecordHeaders {
  if (headers.problem !== undefined) return headers;
  const packs = headers.entries.filter(([name]) => name === packed);
  const [, block] = packs[0] ?? [];
  if (packs.length === 1 && block) return readHeaders(block);
  const source = headers.entries.filter(([name]) => !ours.has(name));
  const nulls = (headerText(headers, nullNames) ?? '').split(',').filter(Boolean);
  // Read again, so that what is too much to be read is refused here and not where it is stored.
  return readHeaders(
    writeHeaders([...source, ...nulls.map((name) => [name, null] as const)]).bytes,
  );
}

/**
 * The headers of a record of a retry topic or the DLQ as people read them: those of its source,
 * then what it gained since.
 */
export function unpackedHeaders(headers: RecordHeaders): readonly Header[] {
  const gained = headers.entries.filter(
    ([name]) => ours.has(name) && name !== packed && name !== nullNames,
  );
  return [...sourceHeaders(headers).entries, ...gained];
}

/** Source headers in a form that kafkajs can send: as they are, else packed into one. */
export function sendableHeaders(headers: RecordHeaders): SendableHeaders {
  // Without a prototype: a header may be named `__proto__`.
  const sendable = Object.create(null) as SendableHeaders;
  for (const [name, value] of headers.entries) if (value !== null) sendable[name] = value;
  if (isSentAsItIs(headers, sendable)) return sendable;
  return Object.assign(shownHeaders(headers), { [packed]: headers.bytes });
}

/**
 * What identifies the record, as far as it can be read: for people, and for a dead letter without
 * its record.
 */
export function shownHeaders(headers: RecordHeaders): SendableHeaders {
  const texts = shown.map((name) => [name, headerText(headers, name)?.slice(0, 200)] as const);
  return Object.fromEntries(
    texts.filter((entry): entry is [(typeof shown)[number], string] => entry[1] !== undefined),
  );
}

/**
 * Not a null value, a repeated name, an order that an object does not keep, bytes that are no text,
 * nor a name of ours.
 */
function isSentAsItIs(headers: RecordHeaders, sendable: SendableHeaders): boolean {
  if (headers.problem !== undefined || headers.entries.some(([name]) => ours.has(name)))
    return false;
  // With ours beside them they would be more than are read.
  if (headers.entries.length > maxHeaders - ours.size) return false;
  return writeHeaders(Object.entries(sendable)).bytes.equals(headers.bytes);
}

import { headerText, type RecordHeaders } from '../record.ts';

/**
 * Headers that a record gains on its way through retry topics and into the DLQ; all values are text.
 * Names are Spring Kafka's where it has one, so that people and tools who know them feel at home.
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
} as const;

/** Names of headers whose value was null: kafkajs can read a null value but not send one. */
const nullHeaders = 'inbox-null-headers';

const ours: ReadonlySet<string> = new Set([
  ...Object.values(retryHeaders),
  ...Object.values(deadLetterHeaders),
  nullHeaders,
]);

/** The headers that the record had in its source topic: a record does not grow however often it travels. */
export function sourceHeaders(headers: RecordHeaders): RecordHeaders {
  const source = Object.entries(headers).filter(([name]) => !ours.has(name));
  const nulls = (headerText(headers, nullHeaders) ?? '').split(',').filter(Boolean);
  return Object.fromEntries([...source, ...nulls.map((name) => [name, null] as const)]);
}

/** Source headers in a form that kafkajs can send. */
export function sendableHeaders(headers: RecordHeaders): Record<string, Buffer | string | (Buffer | string)[]> {
  const sendable: Record<string, Buffer | string | (Buffer | string)[]> = {};
  const nulls: string[] = [];
  for (const [name, value] of Object.entries(headers))
    if (value === null || value === undefined) nulls.push(name);
    else sendable[name] = value;
  if (nulls.length > 0) sendable[nullHeaders] = nulls.join(',');
  return sendable;
}

import { identify, type NoIdentity } from '../decide/identity.ts';
import type { Delivery } from '../delivery.ts';
import { headerText, type RecordHeaders, type SourceRecord } from '../record.ts';
import { retryHeaders, sourceHeaders } from './route-headers.ts';

export interface RetryDelivery {
  readonly delivery: Delivery;
  /** Milliseconds since the epoch. */
  readonly dueAtMs: number;
}

/** A record of a retry topic as the delivery it carries, with the headers and the origin it had in its source topic. */
export function fromRetry(record: SourceRecord): RetryDelivery | NoIdentity {
  const { headers } = record;
  const source = sourceHeaders(headers);
  const identity = identify(source);
  if ('problem' in identity) return identity;
  const attempts = wholeNumber(headers, retryHeaders.attempts, 0, maxAttempts);
  const dueAtMs = wholeNumber(headers, retryHeaders.dueAt, 0, Number.MAX_SAFE_INTEGER);
  const topic = headerText(headers, retryHeaders.originTopic) ?? record.origin.topic;
  const partition = headerText(headers, retryHeaders.originPartition) ?? String(record.origin.partition);
  const timestampMs = wholeNumber(
    headers,
    retryHeaders.originTimestamp,
    record.origin.timestampMs,
    Number.MAX_SAFE_INTEGER,
  );
  const firstFailedAtMs = wholeNumber(headers, retryHeaders.firstFailedAt, -1, Number.MAX_SAFE_INTEGER);
  const offset = headerText(headers, retryHeaders.originOffset) ?? record.origin.offset;
  const problems = [attempts, dueAtMs, timestampMs, firstFailedAtMs].filter((one) => typeof one === 'string');
  if (!/^\d{1,19}$/.test(offset) || BigInt(offset) > maxOffset)
    problems.push(`header ${retryHeaders.originOffset} is no offset`);
  if (!/^[\w.-]{1,249}$/.test(topic)) problems.push(`header ${retryHeaders.originTopic} is no name of a topic`);
  // Retry topics and DLQ are written at the number of the source's partition, so any other was never there.
  if (partition !== String(record.origin.partition))
    problems.push(
      `header ${retryHeaders.originPartition} is ${JSON.stringify(partition.slice(0, 100))}, must be ${record.origin.partition}`,
    );
  if (problems[0] !== undefined) return { problem: problems[0] };
  return {
    dueAtMs: Number(dueAtMs),
    delivery: {
      kind: 'event',
      identity,
      takenFrom: 'retry',
      attempt: Number(attempts) + 1,
      firstFailedAtMs: Number(firstFailedAtMs) < 0 ? undefined : Number(firstFailedAtMs),
      replayed: headerText(headers, retryHeaders.replayed) !== undefined,
      record: {
        ...record,
        headers: source,
        origin: { topic, partition: record.origin.partition, offset, timestampMs: Number(timestampMs) },
      },
    },
  };
}

/** More than any settings ask for; the database's column ends there. */
const maxAttempts = 65_000;
const maxOffset = 2n ** 63n - 1n;

/** The number in a header, `otherwise` when it is missing, or what is wrong with it. */
function wholeNumber(headers: RecordHeaders, name: string, otherwise: number, max: number): number | string {
  const text = headerText(headers, name);
  if (text === undefined) return otherwise;
  return /^\d{1,16}$/.test(text) && Number(text) <= max
    ? Number(text)
    : `header ${name} is ${JSON.stringify(text.slice(0, 100))}, must be a whole number up to ${max}`;
}

import { createProducer } from '@board/kafka';
// Its errors are no named exports for Node.
import kafkajs, { type Kafka, type RecordMetadata, type TopicMessages } from 'kafkajs';
import { InfrastructureError } from '../errors.ts';
import { defaultSettings, type InboxSettings } from '../settings.ts';
import type { SendableHeaders } from './headers.ts';

/** A record on its way to a retry topic or the DLQ. */
export interface RoutedRecord {
  readonly topic: string;
  /** The source record's partition number: retry topics and DLQ have as many. */
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: SendableHeaders;
}

/** What became of one record. */
export type Published =
  | { readonly kind: 'stored'; readonly offset: bigint }
  /** The brokers will never take this record, whatever is tried. */
  | { readonly kind: 'refused'; readonly error: Error };

/** Writes to the group's retry topics and its DLQ. */
export interface Publisher {
  /**
   * Resolves, in the order of the records, once every in-sync replica has those that the brokers
   * take; throws InfrastructureError otherwise, and some may be stored then.
   */
  publish(records: readonly RoutedRecord[]): Promise<readonly Published[]>;
  close(): Promise<void>;
}

/** The brokers' answers that blame the record, by the protocol's names. */
const tooLarge: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const refusals: ReadonlySet<string> = new Set([...tooLarge, 'INVALID_TIMESTAMP', 'INVALID_RECORD']);

/** What Kafka adds to a record's parts, and some room. */
const framingBytes = 4_096;

/**
 * acks=all; what is sent twice is harmless here: the mark removes the copy. `allowedBytes`: what
 * the topics take by their definition; a smaller record that is too large for them is not refused,
 * they are.
 */
export async function connectPublisher(
  kafka: Kafka,
  { findPartitionsEveryMs }: Pick<InboxSettings, 'findPartitionsEveryMs'> = defaultSettings,
  allowedBytes = 0,
): Promise<Publisher> {
  const producer = createProducer(kafka, {
    metadataMaxAge: findPartitionsEveryMs,
    retry: { retries: 2, maxRetryTime: 2_000 },
  });
  await producer.connect();

  async function send(records: readonly RoutedRecord[]): Promise<readonly Published[]> {
    try {
      return toPublished(
        records,
        await producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages: byTopic(records) }),
      );
    } catch (cause) {
      const error = refusalOf(cause);
      if (error === undefined) throw toFailure(records, cause);
      // One of them: each alone shows which; those that are stored twice by this are copies.
      const [only] = records;
      if (only !== undefined && records.length === 1) {
        if (tooLarge.has(error.type) && bytesOf(only) + framingBytes < allowedBytes)
          throw new InfrastructureError(
            `could not publish to ${only.topic}: it refuses a record of ${bytesOf(only)} bytes, its definition allows ${allowedBytes}`,
            { cause },
          );
        return [{ kind: 'refused', error }];
      }
      const published: Published[] = [];
      for (const record of records) published.push(...(await send([record])));
      return published;
    }
  }

  return {
    async publish(records) {
      const published: Published[] = [];
      // In order, one after the other: the offsets come back in the order of the records.
      for (const part of splitForSending(records)) published.push(...(await send(part)));
      return published;
    },
    close: () => producer.disconnect(),
  };
}

function byTopic(records: readonly RoutedRecord[]): TopicMessages[] {
  return [...Map.groupBy(records, (record) => record.topic)].map(([topic, messages]) => ({
    topic,
    messages: messages.map(({ partition, key, value, headers }) => ({
      partition,
      key,
      value,
      headers,
    })),
  }));
}

/** kafkajs wraps the brokers' answer in errors of its own retries. */
function refusalOf(error: unknown): (Error & { readonly type: string }) | undefined {
  for (let link = error; link instanceof Error; link = link.cause)
    if ('type' in link && typeof link.type === 'string' && refusals.has(link.type))
      return link as Error & { readonly type: string };
  return undefined;
}

/**
 * What kafkajs itself throws, on the way to a broker, is the infrastructure's; anything else is a
 * fault in making the request.
 */
function toFailure(records: readonly RoutedRecord[], cause: unknown): unknown {
  if (!(cause instanceof kafkajs.KafkaJSError)) return cause;
  const topics = new Set(records.map(({ topic }) => topic));
  return new InfrastructureError(`could not publish to ${[...topics].join(', ')}`, { cause });
}

/**
 * The brokers name the first offset of each partition's part of a batch; the others follow it in
 * order.
 */
function toPublished(
  records: readonly RoutedRecord[],
  stored: readonly RecordMetadata[],
): Published[] {
  const next = new Map(
    stored.map((part) => [`${part.topicName}/${part.partition}`, BigInt(part.baseOffset ?? '-1')]),
  );
  return records.map(({ topic, partition }) => {
    const key = `${topic}/${partition}`;
    const offset = next.get(key);
    // kafkajs sends nothing, without an error, where a partition is newer than what it knows of the
    // topic.
    if (offset === undefined || offset < 0n)
      throw new InfrastructureError(
        `could not publish to ${topic}: partition ${partition} is not known`,
      );
    next.set(key, offset + 1n);
    return { kind: 'stored', offset };
  });
}

/** Of its parts; what Kafka adds around them is less than a thousandth, and some hundred bytes. */
function bytesOf({ key, value, headers }: RoutedRecord): number {
  return Object.entries(headers).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text),
    (key?.length ?? 0) + (value?.length ?? 0),
  );
}

/**
 * kafkajs makes one record batch per partition of a send, and `max.message.bytes` limits the batch.
 */
const maxBatchBytes = 512 * 1024;

/**
 * Splits records, in order, so that no partition gets a batch that its topic refuses; a single
 * large record goes alone.
 */
export function splitForSending(
  records: readonly RoutedRecord[],
  maxBytes = maxBatchBytes,
): RoutedRecord[][] {
  const parts: RoutedRecord[][] = [];
  let part: RoutedRecord[] = [];
  let bytes = new Map<string, number>();
  for (const record of records) {
    const partition = `${record.topic}/${record.partition}`;
    const size = (bytes.get(partition) ?? 0) + bytesOf(record);
    if (size > maxBytes && bytes.has(partition)) {
      parts.push(part);
      part = [];
      bytes = new Map();
    }
    bytes.set(partition, (bytes.get(partition) ?? 0) + bytesOf(record));
    part.push(record);
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

import { createProducer } from '@board/kafka-kit';
import type { Kafka, Producer, RecordMetadata } from 'kafkajs';
import { InfrastructureError } from '../errors.ts';
import { defaultSettings, type InboxSettings } from '../settings.ts';
import type { RoutedRecord } from './routed-record.ts';
import { splitForSending } from './split-for-sending.ts';

export interface RoutePublisher {
  /**
   * Resolves once every in-sync replica has all of them, to the offset of each on its partition;
   * throws InfrastructureError otherwise, some may be stored then.
   */
  publish(records: readonly RoutedRecord[]): Promise<readonly bigint[]>;
  close(): Promise<void>;
}

/** acks=all; what is sent twice is harmless here: the mark removes the copy. */
export async function connectPublisher(
  kafka: Kafka,
  { findPartitionsEveryMs }: Pick<InboxSettings, 'findPartitionsEveryMs'> = defaultSettings,
): Promise<RoutePublisher> {
  const producer = createProducer(kafka, {
    metadataMaxAge: findPartitionsEveryMs,
    retry: { retries: 2, maxRetryTime: 2_000 },
  });
  await producer.connect();
  return {
    async publish(records) {
      const offsets: bigint[] = [];
      // In order, one after the other: the offsets come back in the order of the records.
      for (const part of splitForSending(records)) offsets.push(...(await send(producer, part)));
      return offsets;
    },
    close: () => producer.disconnect(),
  };
}

async function send(producer: Producer, records: readonly RoutedRecord[]): Promise<bigint[]> {
  const byTopic = Map.groupBy(records, (record) => record.topic);
  const topicMessages = [...byTopic].map(([topic, messages]) => ({
    topic,
    messages: messages.map(({ partition, key, value, headers }) => ({ partition, key, value, headers })),
  }));
  try {
    return toOffsets(records, await producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages }));
  } catch (cause) {
    throw new InfrastructureError(`could not publish to ${[...byTopic.keys()].join(', ')}`, { cause });
  }
}

/** The brokers name the first offset of each partition's part of a batch; the others follow it in order. */
function toOffsets(records: readonly RoutedRecord[], stored: readonly RecordMetadata[]): bigint[] {
  const next = new Map(stored.map((part) => [`${part.topicName}/${part.partition}`, BigInt(part.baseOffset ?? '-1')]));
  return records.map(({ topic, partition }) => {
    const key = `${topic}/${partition}`;
    const offset = next.get(key);
    // kafkajs sends nothing, and says so to nobody, where a partition is newer than what it knows of the topic.
    if (offset === undefined || offset < 0n) throw new Error(`no offset was given for a record on ${key}`);
    next.set(key, offset + 1n);
    return offset;
  });
}

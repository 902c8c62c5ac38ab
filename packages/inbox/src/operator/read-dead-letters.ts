import { deadLetterTopicName } from '@board/contracts';
import { fetchedIn, openAdmin, readRanges, withAdmin } from '@board/kafka';
import { withinDeadline } from '@board/service';
import type { Admin, Consumer as KafkaConsumer, EachBatchPayload } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { deadLetterHeaders } from '../fail/headers.ts';
import { isRecordOf } from '../fail/record-formats.ts';
import { type Origin, type SourceRecord, digestOf, headerText } from '../record.ts';
import type { DeadLetterEntry } from './dead-letter-index.ts';
import type { Operator } from './operator.ts';

export interface DeadLetterReader {
  /**
   * The DLQ records of these dead letters, by dead letter; one that the DLQ no longer holds is left
   * out, another record in its place too. One call at a time; cheap when the dead letters of one
   * call after the other are in the order of the DLQ.
   */
  read(deadLetters: readonly DeadLetterEntry[]): Promise<ReadonlyMap<string, SourceRecord>>;
  close(): Promise<void>;
}

interface Page {
  /**
   * By partition: the dead letters that are still awaited, by offset; several when the DLQ was made
   * again.
   */
  readonly awaited: Map<number, Map<string, DeadLetterEntry[]>>;
  readonly found: Map<string, SourceRecord>;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Reads DLQ records by their exact position. kafkajs reads within a consumer group only: this one
 * lives as long as the reader, unlike that of `readRanges`, because joining a group anew for each
 * page of a long replay would cost seconds each.
 */
export async function openDeadLetterReader(
  operator: Operator,
  maxSilenceMs = 30_000,
): Promise<DeadLetterReader> {
  const topic = deadLetterTopicName(operator.consumer.group);
  const groupId = `${operator.consumer.group}.operator.${randomUUID()}`;
  const admin = await openAdmin(operator.kafka);
  const consumer = operator.kafka.consumer({
    groupId,
    maxWaitTimeInMs: 100,
    maxBytesPerPartition: 262_144,
  });
  let page: Page | undefined;

  function take({ batch, pause }: EachBatchPayload): Promise<void> {
    const awaited = page?.awaited.get(batch.partition);
    if (page === undefined || awaited === undefined) {
      // Nothing more is needed of this partition, until a page resumes it.
      pause();
      return Promise.resolve();
    }
    for (const message of fetchedIn(batch)) {
      const { offset, timestamp, key, value } = message;
      const deadLetters = awaited.get(offset);
      awaited.delete(offset);
      if (deadLetters === undefined || message.kind !== 'record') continue;
      const headers = message.recordHeaders();
      const deadLetter = deadLetters.find((one) => isRecordOf(one, headers));
      const origin = { topic, partition: batch.partition, offset, timestampMs: Number(timestamp) };
      if (deadLetter !== undefined) page.found.set(deadLetter.id, { origin, key, value, headers });
    }
    // What the batch has passed without showing it is gone.
    const next = BigInt(batch.lastOffset()) + 1n;
    for (const offset of awaited.keys()) if (BigInt(offset) < next) awaited.delete(offset);
    if (awaited.size === 0) page.awaited.delete(batch.partition);
    if (page.awaited.size === 0) page.done.resolve();
    return Promise.resolve();
  }

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => page?.done.reject(payload.error));
    await consumer.run({ autoCommit: false, eachBatch: take });
  } catch (error) {
    await close(consumer, admin, groupId);
    throw error;
  }

  return {
    async read(deadLetters) {
      const ends = await admin.fetchTopicOffsets(topic);
      const awaited = new Map<number, Map<string, DeadLetterEntry[]>>();
      for (const { partition, low, high } of ends) {
        const held = deadLetters.filter(
          ({ dlqPartition, dlqOffset }) =>
            dlqPartition === partition &&
            BigInt(dlqOffset) >= BigInt(low) &&
            BigInt(dlqOffset) < BigInt(high),
        );
        if (held.length > 0)
          awaited.set(
            partition,
            Map.groupBy(held, ({ dlqOffset }) => dlqOffset),
          );
      }
      if (awaited.size === 0) return new Map();
      const done = Promise.withResolvers<void>();
      page = { awaited, found: new Map(), done };
      for (const [partition, offsets] of awaited) {
        consumer.seek({ topic, partition, offset: String(lowest(offsets.keys())) });
        consumer.resume([{ topic, partitions: [partition] }]);
      }
      const late = (): Error =>
        new Error(`${topic} was not read within ${maxSilenceMs} ms; do its brokers answer?`);
      try {
        await withinDeadline(done.promise, maxSilenceMs, late);
        return page.found;
      } finally {
        page = undefined;
      }
    },
    close: () => close(consumer, admin, groupId),
  };
}

async function close(consumer: KafkaConsumer, admin: Admin, groupId: string): Promise<void> {
  try {
    await consumer.disconnect();
    // A group that never got as far as joining is not there; any other leftover would only be
    // clutter.
    await admin.deleteGroups([groupId]).catch(() => undefined);
  } finally {
    await admin.disconnect();
  }
}

function lowest(offsets: Iterable<string>): bigint {
  return [...offsets].map(BigInt).reduce((a, b) => (a < b ? a : b));
}

/**
 * The record that a bare dead letter stands for, from its place in the source topic, with the
 * headers that the dead letter would have; undefined when it is gone or is not that record any
 * more.
 */
export async function readOrigin(
  operator: Operator,
  { origin }: DeadLetterEntry,
  deadLetter: SourceRecord,
): Promise<SourceRecord | undefined> {
  const record = await readAt(operator, origin);
  const digest = headerText(deadLetter.headers, deadLetterHeaders.bareDigest);
  return record !== undefined && digestOf(record) === digest ? record : undefined;
}

async function readAt(
  { kafka, consumer }: Operator,
  { topic, partition, offset }: Omit<Origin, 'timestampMs'>,
): Promise<SourceRecord | undefined> {
  const from = BigInt(offset);
  const isHeld = await withAdmin(kafka, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return false;
    return (await admin.fetchTopicOffsets(topic)).some(
      (one) => one.partition === partition && BigInt(one.low) <= from && from < BigInt(one.high),
    );
  });
  if (!isHeld) return undefined;
  let found: SourceRecord | undefined;
  const range = { topic, partition, from, end: from + 1n };
  await readRanges(
    kafka,
    `${consumer.group}.operator.${randomUUID()}`,
    [range],
    (_range, record) => {
      const { timestamp, key, value } = record;
      const origin = { topic, partition, offset, timestampMs: Number(timestamp) };
      found = { origin, key, value, headers: record.recordHeaders() };
      return 'enough';
    },
  );
  return found;
}

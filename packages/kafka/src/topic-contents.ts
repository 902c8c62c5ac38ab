import { randomUUID } from 'node:crypto';
import type { Kafka, Producer } from 'kafkajs';
import { listRanges, withAdmin, type OffsetRange } from './admin.ts';
import { createProducer } from './connect-kafka.ts';
import { fetchedIn, type FetchedRecord } from './record-batches.ts';

/** Told of each record in the order of its partition; `enough` ends the reading early. */
export type TakeRecord = (range: OffsetRange, record: FetchedRecord) => 'enough' | 'more';

/** Of the brokers, not for the whole reading: not a deadline, it begins anew with each batch. */
const maxSilenceMs = 30_000;

/**
 * Reads ranges of topics in a group that lives for this call and commits nothing: kafkajs reads in
 * no other way. Throws when the brokers fall silent, and the signal's reason when it aborts.
 */
export async function readRanges(
  kafka: Kafka,
  groupId: string,
  ranges: readonly OffsetRange[],
  take: TakeRecord,
  signal?: AbortSignal,
): Promise<void> {
  const missing = new Map(
    ranges
      .filter(({ from, end }) => from < end)
      .map((range) => [`${range.topic}/${range.partition}`, range]),
  );
  if (missing.size === 0) return;
  const done = Promise.withResolvers<void>();
  // It may be rejected before it is waited for.
  done.promise.catch(() => undefined);
  const silence = setTimeout(() => {
    done.reject(
      new Error(
        `${[...missing.keys()].join(', ')} was not read within ${maxSilenceMs} ms; do the brokers answer?`,
      ),
    );
  }, maxSilenceMs);
  const abort = (): void => done.reject(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    await withAdmin(kafka, async (admin) => {
      const consumer = kafka.consumer({
        groupId,
        maxWaitTimeInMs: 100,
        maxBytesPerPartition: 262_144,
      });
      try {
        signal?.throwIfAborted();
        await consumer.connect();
        const topics = [...new Set([...missing.values()].map(({ topic }) => topic))];
        await consumer.subscribe({ topics, fromBeginning: true });
        consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
        await consumer.run({
          autoCommit: false,
          eachBatch: ({ batch, pause }) => {
            const { topic, partition } = batch;
            const name = `${topic}/${partition}`;
            const range = missing.get(name);
            if (range === undefined) pause();
            else {
              silence.refresh();
              for (const record of fetchedIn(batch)) {
                const offset = BigInt(record.offset);
                // Neither markers of transactions nor what cannot be decoded.
                if (record.kind !== 'record' || offset < range.from || offset >= range.end)
                  continue;
                if (take(range, record) === 'more') continue;
                missing.clear();
                break;
              }
              if (BigInt(batch.lastOffset()) + 1n >= range.end) missing.delete(name);
            }
            if (missing.size === 0) done.resolve();
            return Promise.resolve();
          },
        });
        for (const { topic, partition, from } of missing.values())
          consumer.seek({ topic, partition, offset: String(from) });
        await done.promise;
      } finally {
        await consumer.disconnect();
        // A group that did not get as far as joining is not there; any other leftover would only be
        // clutter.
        await admin.deleteGroups([groupId]).catch(() => undefined);
      }
    });
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener('abort', abort);
  }
}

/**
 * A topic of which Kafka keeps the last value of each key: a small memory that no database restore
 * takes back.
 */
export interface CompactedTopic {
  /** The last value of each key; undefined when there is no such topic. */
  read(): Promise<ReadonlyMap<string, string> | undefined>;
  /** Resolves once every in-sync replica has it. */
  write(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a compacted topic of one partition; it connects when it is used. */
export function openCompactedTopic(kafka: Kafka, topic: string): CompactedTopic {
  let producer: Promise<Producer> | undefined;

  async function connect(): Promise<Producer> {
    const made = createProducer(kafka);
    await made.connect();
    return made;
  }

  return {
    async read() {
      const ranges = await withAdmin(kafka, (admin) => listRanges(admin, topic), { retries: 2 });
      if (ranges === undefined) return undefined;
      const values = new Map<string, string>();
      await readRanges(
        kafka,
        `${topic}.reader.${randomUUID()}`,
        ranges,
        (_range, { key, value }) => {
          if (key !== null && value !== null) values.set(key.toString(), value.toString());
          return 'more';
        },
      );
      return values;
    },
    async write(key, value) {
      producer ??= connect().catch((error: unknown) => {
        producer = undefined;
        throw error;
      });
      await (await producer).send({ topic, acks: -1, timeout: 10_000, messages: [{ key, value }] });
    },
    async close() {
      const made = await producer?.catch(() => undefined);
      await made?.disconnect();
    },
  };
}

import { randomUUID } from 'node:crypto';
import type { Kafka, Producer } from 'kafkajs';
import { listRanges, withAdmin } from './admin.ts';
import { createProducer } from './connect-kafka.ts';
import { readRanges } from './read-ranges.ts';

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

import { deadLetterTopicName, retryTopicName } from '@board/contracts';
import { writeHeaders, type RecordHeaders } from '@board/kafka';
import type { RoutedRecord } from '../../src/fail/publisher.ts';
import type { SourceRecord } from '../../src/record.ts';

export const group = 'group';
export const sourceTopic = 'source';
export const partitions = 2;

/** A partition as its one consumer at a time sees it. */
interface Partition {
  readonly records: SourceRecord[];
  committed: number;
  /** Grows with each assignment: who has an older one is a zombie. */
  generation: number;
  /** Called when there may be something to read again. */
  readonly waiting: (() => void)[];
}

/** Topics in memory: appended records, one committed offset for each partition. */
export interface MemoryBroker {
  readonly topics: readonly string[];
  append(record: RoutedRecord, nowMs: number): bigint;
  records(topic: string, partition: number): readonly SourceRecord[];
  committed(topic: string, partition: number): number;
  /** Takes the partition from its owner; returns the number that the new one commits with. */
  assign(topic: string, partition: number): number;
  isCurrent(topic: string, partition: number, generation: number): boolean;
  commit(topic: string, partition: number, offset: number): void;
  /** Redelivers what was read before. */
  rewind(topic: string, partition: number, offset: number): void;
  /** Resolves once the partition has changed in any way. */
  changed(topic: string, partition: number): Promise<void>;
  /** Wakes the readers that wait for a partition. */
  wake(topic: string, partition: number): void;
}

export function createMemoryBroker(retryTiers: number): MemoryBroker {
  const topics = [
    sourceTopic,
    ...Array.from({ length: retryTiers }, (_, index) => retryTopicName(group, index + 1)),
  ];
  const all = new Map<string, Partition>();
  for (const topic of [...topics, deadLetterTopicName(group)])
    for (let partition = 0; partition < partitions; partition += 1)
      all.set(`${topic}/${partition}`, { records: [], committed: 0, generation: 0, waiting: [] });
  const find = (topic: string, partition: number): Partition => {
    const found = all.get(`${topic}/${partition}`);
    if (found === undefined) throw new Error(`there is no ${topic}/${partition}`);
    return found;
  };
  const wake = ({ waiting }: Partition): void => waiting.splice(0).forEach((resolve) => resolve());

  return {
    topics,
    append({ topic, partition, key, value, headers }, nowMs) {
      const at = find(topic, partition);
      const offset = at.records.length;
      const origin = { topic, partition, offset: String(offset), timestampMs: nowMs };
      at.records.push({ origin, key, value, headers: toHeaders(headers) });
      wake(at);
      return BigInt(offset);
    },
    records: (topic, partition) => find(topic, partition).records,
    committed: (topic, partition) => find(topic, partition).committed,
    assign(topic, partition) {
      const at = find(topic, partition);
      at.generation += 1;
      wake(at);
      return at.generation;
    },
    isCurrent: (topic, partition, generation) => find(topic, partition).generation === generation,
    commit(topic, partition, offset) {
      find(topic, partition).committed = offset;
    },
    rewind(topic, partition, offset) {
      const at = find(topic, partition);
      at.committed = Math.min(at.committed, offset);
      wake(at);
    },
    changed: (topic, partition) =>
      new Promise((resolve) => find(topic, partition).waiting.push(resolve)),
    wake: (topic, partition) => wake(find(topic, partition)),
  };
}

function toHeaders(headers: RoutedRecord['headers']): RecordHeaders {
  return writeHeaders(Object.entries(headers));
}

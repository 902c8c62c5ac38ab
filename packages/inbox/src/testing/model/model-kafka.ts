import type { RoutedRecord } from '../../route/routed-record.ts';
import type { SourceRecord } from '../../record.ts';
import { toHeaders } from '../to-headers.ts';

/** Partitions, committed offsets and who may commit them. */
export interface ModelKafka {
  records(topic: string, partition: number): readonly SourceRecord[];
  append(record: RoutedRecord, nowMs: number): void;
  committed(topic: string, partition: number): number;
  /** Takes the partition over; whoever held it can no longer commit. Returns the new generation. */
  assign(topic: string, partition: number): number;
  isCurrent(topic: string, partition: number, generation: number): boolean;
  /** False when another member owns the partition now. */
  commit(topic: string, partition: number, offset: number, generation: number): boolean;
  /** What an operator may do to a group: read again from an earlier offset. */
  rewind(topic: string, partition: number, offset: number): void;
}

/** One group reads each topic, so a partition's committed offset needs no group. */
export function createModelKafka(): ModelKafka {
  const logs = new Map<string, SourceRecord[]>();
  const offsets = new Map<string, number>();
  const generations = new Map<string, number>();
  const key = (topic: string, partition: number): string => `${topic}/${partition}`;
  const log = (topic: string, partition: number): SourceRecord[] => {
    const found = logs.get(key(topic, partition)) ?? [];
    logs.set(key(topic, partition), found);
    return found;
  };
  const isCurrent = (topic: string, partition: number, generation: number): boolean =>
    generations.get(key(topic, partition)) === generation;
  return {
    records: log,
    append({ topic, partition, key: recordKey, value, headers }, nowMs) {
      const records = log(topic, partition);
      const origin = { topic, partition, offset: String(records.length), timestampMs: nowMs };
      records.push({ origin, key: recordKey, value, headers: toHeaders(headers) });
    },
    committed: (topic, partition) => offsets.get(key(topic, partition)) ?? 0,
    assign(topic, partition) {
      const generation = (generations.get(key(topic, partition)) ?? 0) + 1;
      generations.set(key(topic, partition), generation);
      return generation;
    },
    isCurrent,
    commit(topic, partition, offset, generation) {
      if (!isCurrent(topic, partition, generation)) return false;
      offsets.set(key(topic, partition), offset);
      return true;
    },
    rewind: (topic, partition, offset) => void offsets.set(key(topic, partition), offset),
  };
}

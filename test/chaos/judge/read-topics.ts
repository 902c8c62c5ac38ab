import { runKafkaTool } from '../../src/kafka-tool.ts';
import type { Evidence, GroupPosition, TopicRecord } from '../history.ts';
import { parseCommitted, parseOffsets, refuseProblems } from './parse-answers.ts';
import { parseRecords, printRecords } from './parse-records.ts';

export interface ReadTopicsOptions {
  readonly source?: string;
  /** Its retry topics, its DLQ and its retry group are named after it. */
  readonly group?: string;
  /** The markers of a transaction take offsets and are never shown: so long nothing may come before a partition counts as read. */
  readonly silenceMs?: number;
  /** A partition that shows nothing at all is asked again, each time twice as long, up to this. */
  readonly patienceMs?: number;
}

interface Bounds {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly end: number;
}

/** Every record of the source, the retry topics and the DLQ, and how far the groups have come. */
export async function readTopics(
  brokers: readonly string[],
  { source = 'board', group = 'catalog-service', silenceMs = 5_000, patienceMs = 60_000 }: ReadTopicsOptions = {},
): Promise<Pick<Evidence, 'source' | 'retries' | 'dlq' | 'groups'>> {
  const retryTopics = [1, 2, 3].map((tier) => `${group}.retry.${tier}`);
  const dlq = `${group}.dlq`;
  const topics = [source, ...retryTopics, dlq];
  const [bounds, committed] = await Promise.all([
    readBounds(brokers, topics),
    readCommitted(brokers, [group, `${group}.retry`]),
  ]);
  const records = new Map<string, TopicRecord[]>();
  // One after the other: each starts a Java, and they share the machine with what is judged.
  for (const topic of topics) {
    const ofTopic = bounds.filter((one) => one.topic === topic);
    records.set(topic, await readTopic(brokers, topic, ofTopic, { silenceMs, patienceMs }));
  }
  const of = (topic: string): TopicRecord[] => records.get(topic) ?? [];
  const groups = bounds.flatMap(({ topic, partition, end }): GroupPosition[] => {
    if (topic === dlq) return [];
    const reader = topic === source ? group : `${group}.retry`;
    return [
      { group: reader, topic, partition, end, committed: committed.get(`${reader} ${topic} ${partition}`) ?? null },
    ];
  });
  return { source: of(source), retries: retryTopics.flatMap(of), dlq: of(dlq), groups };
}

async function readBounds(brokers: readonly string[], topics: readonly string[]): Promise<readonly Bounds[]> {
  const ask = async (time: 'earliest' | 'latest') => {
    const args = ['--topic-partitions', topics.join(','), '--time', time];
    return parseOffsets(await runKafkaTool('GetOffsetShell', brokers, args));
  };
  const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')]);
  const missing = topics.filter((topic) => ends.every((one) => one.topic !== topic));
  if (missing.length > 0) throw new Error(`the brokers ${brokers.join(',')} do not have ${missing.join(', ')}`);
  return ends.map(({ topic, partition, offset: end }) => {
    const start = starts.find((one) => one.topic === topic && one.partition === partition);
    if (start === undefined) throw new Error(`the brokers do not tell where ${topic}/${partition} begins`);
    return { topic, partition, from: start.offset, end };
  });
}

async function readTopic(
  brokers: readonly string[],
  topic: string,
  bounds: readonly Bounds[],
  { silenceMs, patienceMs }: { readonly silenceMs: number; readonly patienceMs: number },
): Promise<TopicRecord[]> {
  const count = bounds.reduce((sum, { from, end }) => sum + end - from, 0);
  if (count === 0) return [];
  // What is appended meanwhile could take the place of what was there.
  const isWithin = ({ partition, offset }: TopicRecord): boolean =>
    bounds.some((one) => one.partition === partition && offset < one.end);
  const read = async (forMs: number, most: number, ...where: readonly string[]): Promise<TopicRecord[]> => {
    const limits = ['--max-messages', String(most), '--timeout-ms', String(forMs)];
    const args = ['--topic', topic, ...where, ...limits, ...printRecords];
    const output = await runKafkaTool('consumer.ConsoleConsumer', brokers, args);
    refuseProblems(topic, output);
    return [...parseRecords(topic, output)].filter(isWithin);
  };
  const records = await read(silenceMs, count, '--from-beginning');
  const next = new Map<number, number>();
  for (const { partition, offset } of records) next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
  for (const { partition, from, end } of bounds) {
    const at = next.get(partition) ?? from;
    if (at >= end) continue;
    // Either markers of transactions, or brokers that did not answer, which looks the same: the last record is asked for again,
    // and when it comes and nothing after it, there is nothing after it.
    const start = Math.max(from, at - 1);
    const where = ['--partition', String(partition), '--offset', String(start)];
    let more: readonly TopicRecord[] = [];
    for (let forMs = silenceMs; more.length === 0 && forMs <= patienceMs; forMs *= 2)
      more = await read(forMs, end - start, ...where);
    if (more.length === 0)
      throw new Error(
        `${topic}/${partition} ends at ${end}, and could not be read from ${start} on: is its leader away?`,
      );
    for (const record of more) if (record.offset >= at) records.push(record);
  }
  return records;
}

async function readCommitted(
  brokers: readonly string[],
  groups: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const args = ['--describe', '--offsets', ...groups.flatMap((name) => ['--group', name])];
  return parseCommitted(await runKafkaTool('consumer.group.ConsumerGroupCommand', brokers, args));
}

import { setTimeout as wait } from 'node:timers/promises';
import { runKafkaTool } from '../../src/kafka-tool.ts';
import type { Evidence, GroupPosition, TopicRecord } from './evidence.ts';
import { parseCommitted, parseOffsets, refuseProblems } from './parse-answers.ts';
import { parseRecords, printRecords } from './parse-records.ts';

export interface ReadTopicsOptions {
  readonly source?: string;
  /** Its retry topics, its DLQ and its retry group are named after it. */
  readonly group?: string;
  /**
   * The markers of a transaction take offsets and are never shown: so long nothing may come before
   * a partition counts as read.
   */
  readonly silenceMs?: number;
  /** A partition that shows nothing at all is asked again, each time twice as long, up to this. */
  readonly patienceMs?: number;
  /** So long a group may need to pass what is there. */
  readonly passWithinMs?: number;
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
  {
    source = 'board',
    group = 'catalog-service',
    silenceMs = 5_000,
    patienceMs = 60_000,
    passWithinMs = 15_000,
  }: ReadTopicsOptions = {},
): Promise<Pick<Evidence, 'source' | 'retries' | 'dlq' | 'groups'>> {
  const retryTopics = [1, 2, 3].map((tier) => `${group}.retry.${tier}`);
  const dlq = `${group}.dlq`;
  const topics = [source, ...retryTopics, dlq];
  const bounds = await readBounds(brokers, topics);
  const groupOf = (topic: string): string => (topic === source ? group : `${group}.retry`);
  const keyOf = ({ topic, partition }: Bounds): string => `${groupOf(topic)} ${topic} ${partition}`;
  const read = bounds.filter(({ topic }) => topic !== dlq);
  // Afterwards, and again: the marker of a transaction that a dead producer left open comes a
  // minute later.
  const committed = await untilPassed(
    read.map((bound) => ({ key: keyOf(bound), end: bound.end })),
    () => readCommitted(brokers, [group, `${group}.retry`]),
    passWithinMs,
  );
  const records = new Map<string, TopicRecord[]>();
  // One after the other: each starts a Java, and they share the machine with the stack.
  for (const topic of topics) {
    const ofTopic = bounds.filter((one) => one.topic === topic);
    records.set(topic, await readTopic(brokers, topic, ofTopic, { silenceMs, patienceMs }));
  }
  const of = (topic: string): TopicRecord[] => records.get(topic) ?? [];
  const groups = read.map((bound): GroupPosition => {
    const { topic, partition, end } = bound;
    return {
      group: groupOf(topic),
      topic,
      partition,
      end,
      committed: committed.get(keyOf(bound)) ?? null,
    };
  });
  return { source: of(source), retries: retryTopics.flatMap(of), dlq: of(dlq), groups };
}

async function readBounds(
  brokers: readonly string[],
  topics: readonly string[],
): Promise<readonly Bounds[]> {
  const ask = async (time: 'earliest' | 'latest') => {
    const args = ['--topic-partitions', topics.join(','), '--time', time];
    return parseOffsets(await runKafkaTool('GetOffsetShell', brokers, args));
  };
  const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')]);
  const missing = topics.filter((topic) => ends.every((one) => one.topic !== topic));
  if (missing.length > 0)
    throw new Error(`the brokers ${brokers.join(',')} do not have ${missing.join(', ')}`);
  return ends.map(({ topic, partition, offset: end }) => {
    const start = starts.find((one) => one.topic === topic && one.partition === partition);
    if (start === undefined)
      throw new Error(`the brokers do not say where ${topic}/${partition} begins`);
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
  const read = async (
    forMs: number,
    most: number,
    ...where: readonly string[]
  ): Promise<TopicRecord[]> => {
    const limits = ['--max-messages', String(most), '--timeout-ms', String(forMs)];
    const args = ['--topic', topic, ...where, ...limits, ...printRecords];
    const output = await runKafkaTool('consumer.ConsoleConsumer', brokers, args);
    refuseProblems(topic, output);
    return [...parseRecords(topic, output)].filter(isWithin);
  };
  const records = await read(silenceMs, count, '--from-beginning');
  const next = new Map<number, number>();
  for (const { partition, offset } of records)
    next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
  for (const bound of bounds) {
    const { partition, from } = bound;
    const readFrom = async (start: number): Promise<readonly TopicRecord[]> => {
      const where = ['--partition', String(partition), '--offset', String(start)];
      let more: readonly TopicRecord[] = [];
      for (let forMs = silenceMs; more.length === 0 && forMs <= patienceMs; forMs *= 2)
        more = await read(forMs, bound.end - start, ...where);
      return more;
    };
    records.push(...(await readRest(bound, next.get(partition) ?? from, readFrom)));
  }
  return records;
}

/**
 * What a partition holds from `next` on, where a reader has stopped before its end. Either markers
 * of transactions follow, or brokers did not answer, which looks the same: the last record is asked
 * for again, until it comes and nothing after it.
 */
export async function readRest(
  { topic, partition, from, end }: Bounds,
  next: number,
  readFrom: (start: number) => Promise<readonly TopicRecord[]>,
): Promise<TopicRecord[]> {
  const rest: TopicRecord[] = [];
  for (let at = next; at < end;) {
    const start = Math.max(from, at - 1);
    const read = await readFrom(start);
    if (read.length === 0)
      throw new Error(
        `${topic}/${partition} ends at ${end}, and could not be read from ${start} on: is its leader away?`,
      );
    const before = at;
    const fresh = read.filter(({ offset }) => offset >= before);
    if (fresh.length === 0) break;
    rest.push(...fresh);
    at = Math.max(...fresh.map(({ offset }) => offset)) + 1;
  }
  return rest;
}

/** Reads what the groups have committed until they have passed those ends, or for so long. */
export async function untilPassed(
  ends: readonly { readonly key: string; readonly end: number }[],
  readCommits: () => Promise<ReadonlyMap<string, number>>,
  forMs: number,
): Promise<ReadonlyMap<string, number>> {
  const until = Date.now() + forMs;
  for (;;) {
    const committed = await readCommits();
    if (ends.every(({ key, end }) => (committed.get(key) ?? 0) >= end) || Date.now() >= until)
      return committed;
    await wait(500);
  }
}

async function readCommitted(
  brokers: readonly string[],
  groups: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const args = ['--describe', '--offsets', ...groups.flatMap((name) => ['--group', name])];
  return parseCommitted(await runKafkaTool('consumer.group.ConsumerGroupCommand', brokers, args));
}

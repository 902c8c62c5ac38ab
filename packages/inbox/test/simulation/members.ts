import kafkajs, { type EachBatchPayload } from 'kafkajs';
import type { SourceRecord } from '../../src/record.ts';
import { checkOffset, Violation } from './check.ts';
import type { Process } from './consumer-process.ts';
import type { Environment } from './environment.ts';

interface Ownership {
  readonly topic: string;
  readonly partition: number;
  /** Its place among the processes. */
  readonly process: number;
}

/**
 * Two members of a consumer group as brokers see them: who owns which partition, and what each has
 * read and committed.
 */
export interface Members {
  owned(): readonly Ownership[];
  /** Gives the partition to any of them, also to the one that has it. */
  assign(topic: string, partition: number): void;
  /** Kills any of them; another process takes its place and its partitions. */
  crash(): void;
  stop(): void;
}

export function startMembers(run: Environment, boot: () => Process): Members {
  const { log, random, world } = run;
  const { broker } = world;
  const owners = new Map<string, Ownership>();
  const processes = [boot(), boot()];

  /** As kafkajs reads a partition: batch by batch, until another member owns it. */
  async function consume(process: Process, topic: string, partition: number): Promise<void> {
    const generation = broker.assign(topic, partition);
    const isOwner = (): boolean =>
      process.isAlive && broker.isCurrent(topic, partition, generation);
    let position = broker.committed(topic, partition);
    let isPaused = false;
    while (isOwner()) {
      const records = isPaused
        ? []
        : broker.records(topic, partition).slice(position, position + 1 + random.below(5));
      if (records.length === 0) {
        await broker.changed(topic, partition);
        continue;
      }
      await run.take('fetch');
      if (!isOwner()) return;
      const payload = {
        batch: { topic, partition, messages: records.map(toFetched) },
        isRunning: () => process.isAlive,
        isStale: () => !isOwner(),
        heartbeat: () => Promise.resolve(),
        resolveOffset: (offset: string) => void (position = Number(offset) + 1),
        async commitOffsetsIfNecessary({
          topics,
        }: {
          topics: { partitions: { offset: string }[] }[];
        }) {
          await run.step(process, 'commit offset');
          if (!isOwner()) throw new kafkajs.KafkaJSError("the partition is another member's");
          const next = Number(topics[0]?.partitions[0]?.offset);
          broker.commit(topic, partition, next);
          run.changes += 1;
          try {
            for (const record of broker.records(topic, partition).slice(position, next))
              checkOffset(world, record);
          } catch (error) {
            // Kept here: what catches it next makes it an error of its own.
            run.violation ??= error as Violation;
            throw error;
          }
        },
        pause() {
          isPaused = true;
          return () => {
            isPaused = false;
            broker.wake(topic, partition);
          };
        },
      };
      try {
        await process.loops.get(topic)?.eachBatch(payload as unknown as EachBatchPayload);
      } catch (error) {
        const cause = error instanceof Error ? (error.cause ?? error) : error;
        if (cause instanceof Violation) run.violation ??= cause;
        // kafkajs starts over from what is committed.
        position = broker.committed(topic, partition);
      }
    }
  }

  return {
    owned: () => [...owners.values()],
    assign(topic: string, partition: number): void {
      const process = random.below(processes.length);
      owners.set(`${topic}/${partition}`, { topic, partition, process });
      void consume(processes[process] as Process, topic, partition);
    },
    crash() {
      const index = random.below(processes.length);
      log('a process dies');
      (processes[index] as Process).isAlive = false;
      processes[index] = boot();
      for (const { topic, partition, process } of owners.values())
        if (process === index) {
          broker.wake(topic, partition);
          void consume(processes[index], topic, partition);
        }
    },
    stop() {
      for (const process of processes) process.isAlive = false;
    },
  };
}

function toFetched({ origin, key, value, headers }: SourceRecord) {
  const { offset, timestampMs } = origin;
  return {
    kind: 'record',
    offset,
    timestamp: String(timestampMs),
    key,
    value,
    recordHeaders: () => headers,
  };
}

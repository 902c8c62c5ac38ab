import { failpoint } from '@board/service';
// Node cannot import its error classes by name.
import kafkajs, { type Consumer as KafkaConsumer, type EachBatchPayload } from 'kafkajs';
import { fetchedIn, type Fetched, type FetchedRecord, type UndecodableBatch } from '@board/kafka';
import type { InboxClock } from '../clock.ts';
import type { SourceRecord } from '../record.ts';
import type { Process, ProcessResult, Slice } from './process.ts';

/** Of a slice without a record. */
const nothing: ProcessResult = { kind: 'done', processed: 0 };

export interface PartitionLoopOptions {
  readonly sliceRecords: number;
  /** Never throws. */
  readonly process: Process;
  readonly clock: Pick<InboxClock, 'after'>;
  /**
   * Called after each offset commit, with the newest time among the records that it passes.
   */
  readonly onCommit: (
    topic: string,
    partition: number,
    nextOffset: bigint,
    newestMs: number,
  ) => void;
  /** Called when a partition is paused on purpose. */
  readonly onPause: (topic: string, partition: number, forMs: number) => void;
}

export interface PartitionLoop {
  /**
   * Processes what was fetched of one partition, slice by slice, and commits the offset of each.
   */
  readonly eachBatch: (payload: EachBatchPayload) => Promise<void>;
  /** No paused partition is resumed afterwards. */
  readonly stop: () => void;
}

/**
 * Runs a consumer's loop; the returned function stops fetching, lets the slice in hand finish and
 * leaves the group.
 */
export async function runPartitionLoop(
  consumer: KafkaConsumer,
  topics: readonly string[],
  loop: PartitionLoop,
): Promise<() => Promise<void>> {
  await consumer.connect();
  // From the beginning, always: a record published before the group's first commit would be skipped
  // otherwise.
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 3,
    eachBatch: loop.eachBatch,
  });
  return async () => {
    loop.stop();
    await consumer.disconnect();
  };
}

/**
 * The `eachBatch` of a consumer: it commits an offset only when everything before it is
 * processed.
 */
export function createPartitionLoop(options: PartitionLoopOptions): PartitionLoop {
  const { sliceRecords, process, clock, onCommit, onPause } = options;
  /** Records processed at once, by partition. */
  const sizes = new Map<string, number>();
  const resumes = new Set<() => void>();

  function pauseFor(ms: number, resume: () => void): void {
    const cancel = clock.after(ms, () => {
      resumes.delete(cancel);
      resume();
    });
    resumes.add(cancel);
  }

  async function processBatch(payload: EachBatchPayload, heartbeat: Heartbeat): Promise<void> {
    const { batch, isRunning, isStale, resolveOffset, commitOffsetsIfNecessary, pause } = payload;
    const { topic, partition } = batch;
    const name = `${topic}/${partition}`;
    const fetched = fetchedIn(batch);
    for (let from = 0; from < fetched.length;) {
      if (!isRunning() || isStale() || heartbeat.failed()) return;
      const size = sizes.get(name) ?? sliceRecords;
      const taken = take(fetched, from, size);
      const slice = toSlice(topic, partition, taken, fetched.slice(from + taken.length));
      // Markers of transactions alone: there is nothing to do but to pass them.
      const result = slice === undefined ? nothing : await process(slice);
      const passed = passedBy(taken, result.processed);
      const last = passed.at(-1);
      if (last !== undefined) {
        await failpoint('before-offset-commit');
        // After the database commit and the acknowledged publishes: a crash before this line makes
        // copies, never a loss.
        const next = BigInt(last.offset) + 1n;
        await commitOffsetsIfNecessary({
          topics: [{ topic, partitions: [{ partition, offset: String(next) }] }],
        });
        // After the commit: if that fails the records are read again, and with them the commit is
        // tried again.
        resolveOffset(last.offset);
        onCommit(
          topic,
          partition,
          next,
          Math.max(...passed.map(({ timestamp }) => Number(timestamp))),
        );
        from += passed.length;
      }
      sizes.set(name, nextSize(size, sliceRecords, result.kind === 'too-slow'));
      if (result.kind === 'wait') {
        onPause(topic, partition, result.waitMs);
        return pauseFor(result.waitMs, pause());
      }
      if (passed.length < taken.length && result.kind !== 'too-slow') return;
    }
  }

  return {
    /*
     * Only kafkajs's own errors leave this function: they are how its runner learns to rejoin. Any
     * other, such as one of its own when the partition was lost meanwhile, would end the consumer
     * permanently, so it is thrown as a retriable one.
     */
    async eachBatch(payload) {
      const heartbeat = startHeartbeat(() => payload.heartbeat());
      try {
        await processBatch(payload, heartbeat);
        heartbeat.throwIfFailed();
      } catch (error) {
        if (error instanceof kafkajs.KafkaJSError) throw error;
        throw new kafkajs.KafkaJSError(error instanceof Error ? error : String(error), {
          retriable: true,
        });
      } finally {
        heartbeat.stop();
      }
    },
    stop: () => resumes.forEach((cancel) => cancel()),
  };
}

/** Records and passed offsets up to `size`, or one batch that could not be decoded. */
function take(fetched: readonly Fetched[], from: number, size: number): readonly Fetched[] {
  const taken = fetched.slice(from, from + size);
  const undecodable = taken.findIndex(({ kind }) => kind === 'undecodable');
  return undecodable === -1 ? taken : taken.slice(0, Math.max(1, undecodable));
}

/** Undefined when there is no record in it. */
function toSlice(
  topic: string,
  partition: number,
  taken: readonly Fetched[],
  rest: readonly Fetched[],
): Slice | undefined {
  const [first] = taken;
  if (first?.kind === 'undecodable') return toUndecodable(topic, partition, first, rest);
  const records = toRecords(topic, partition, taken);
  return records.length === 0 ? undefined : { kind: 'records', topic, partition, records };
}

function toUndecodable(
  topic: string,
  partition: number,
  batch: UndecodableBatch,
  rest: readonly Fetched[],
): Slice {
  const { firstOffset, offset: lastOffset, timestamp, bytes, error } = batch;
  const following = toRecords(topic, partition, rest);
  const timestampMs = Number(timestamp);
  return {
    kind: 'undecodable',
    topic,
    partition,
    firstOffset,
    lastOffset,
    timestampMs,
    bytes,
    error,
    following,
  };
}

function toRecords(topic: string, partition: number, fetched: readonly Fetched[]): SourceRecord[] {
  return fetched
    .filter((one): one is FetchedRecord => one.kind === 'record')
    .map((record) => ({
      origin: { topic, partition, offset: record.offset, timestampMs: Number(record.timestamp) },
      key: record.key,
      value: record.value,
      headers: record.recordHeaders(),
    }));
}

/**
 * What may be committed once so many records are processed: they, and the passed offsets up to the
 * next record.
 */
function passedBy(taken: readonly Fetched[], processed: number): readonly Fetched[] {
  let records = 0;
  const end = taken.findIndex(({ kind }) => kind !== 'passed' && (records += 1) > processed);
  return end === -1 ? taken : taken.slice(0, end);
}

/**
 * Down fast, so that offsets move before the watchdog loses patience; up again with each slice that
 * goes well.
 */
function nextSize(size: number, full: number, tooSlow: boolean): number {
  return tooSlow ? Math.max(1, Math.floor(size / 8)) : Math.min(full, size * 2);
}

interface Heartbeat {
  failed(): boolean;
  stop(): void;
  throwIfFailed(): void;
}

/**
 * Beats by timer while a slice is in work, however long that takes; keeps the first failure for the
 * loop to throw.
 */
function startHeartbeat(beat: () => Promise<void>, everyMs = 1_000): Heartbeat {
  let failure: { readonly error: unknown } | undefined;
  const timer = setInterval(() => {
    beat().catch((error: unknown) => {
      failure ??= { error };
      clearInterval(timer);
    });
  }, everyMs);
  return {
    failed: () => failure !== undefined,
    stop: () => clearInterval(timer),
    throwIfFailed() {
      if (failure) throw failure.error;
    },
  };
}

import { failpoint } from '@board/service-kit';
// Its errors are no named exports for Node.
import kafkajs, { type Consumer as KafkaConsumer, type EachBatchPayload } from 'kafkajs';
import { fetchedIn, type Fetched, type FetchedRecord, type UndecodableBatch } from '@board/kafka-kit';
import type { SourceRecord } from '../record.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';

/** What became of consecutive records of one partition. */
export interface Verdict {
  /** So many of the first are settled: their offsets may be committed. */
  readonly settled: number;
  /** The partition is left alone for this long before the rest is read again. */
  readonly waitMs?: number;
  /** The records took too long together: the rest is settled in smaller slices, whose offsets are committed one by one. */
  readonly tooSlow?: boolean;
}

/** Consecutive records that could not be decoded. */
export interface Undecodable {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: string;
  readonly lastOffset: string;
  readonly timestampMs: number;
  /** As the brokers keep them. */
  readonly bytes: Buffer;
  readonly error: unknown;
}

export interface PartitionLoop {
  readonly topics: readonly string[];
  readonly sliceRecords: number;
  /** Never throws. */
  readonly settle: (records: readonly SourceRecord[]) => Promise<Verdict>;
  /** Never throws. */
  readonly settleUndecodable: (batch: Undecodable, following: readonly SourceRecord[]) => Promise<Verdict>;
  /** Told of each offset that is committed, and of the newest time among the records that it passes. */
  readonly onCommit: (topic: string, partition: number, nextOffset: bigint, newestMs: number) => void;
  /** Told when a partition is left alone on purpose. */
  readonly onPause: (topic: string, partition: number, forMs: number) => void;
}

/** Runs a consumer's loop; the returned function stops fetching, lets the slice in hand finish and leaves the group. */
export async function runPartitionLoop(consumer: KafkaConsumer, loop: PartitionLoop): Promise<() => Promise<void>> {
  const state: LoopState = { resumes: new Set(), sliceSizes: new Map() };
  await consumer.connect();
  // From the beginning, always: a record published before the group's first commit would be skipped otherwise.
  await consumer.subscribe({ topics: [...loop.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 3,
    eachBatch: (payload) => eachBatch(payload, loop, state),
  });
  return async () => {
    for (const timer of state.resumes) clearTimeout(timer);
    await consumer.disconnect();
  };
}

/**
 * Only kafkajs's own errors leave this function: they are how its runner learns to rejoin. Any other, such as one of its own
 * when the partition was lost meanwhile, would end the consumer for good, so it is told as one after which to start over.
 */
async function eachBatch(payload: EachBatchPayload, loop: PartitionLoop, state: LoopState): Promise<void> {
  const heartbeat = startHeartbeat(() => payload.heartbeat());
  try {
    await settleSlices(payload, loop, state, heartbeat);
    heartbeat.throwIfFailed();
  } catch (error) {
    if (error instanceof kafkajs.KafkaJSError) throw error;
    throw new kafkajs.KafkaJSError(error instanceof Error ? error : String(error), { retriable: true });
  } finally {
    heartbeat.stop();
  }
}

async function settleSlices(
  payload: EachBatchPayload,
  loop: PartitionLoop,
  state: LoopState,
  heartbeat: Heartbeat,
): Promise<void> {
  const { batch, isRunning, isStale, resolveOffset, commitOffsetsIfNecessary, pause } = payload;
  const { topic, partition } = batch;
  const name = `${topic}/${partition}`;
  const fetched = fetchedIn(batch);
  for (let from = 0; from < fetched.length;) {
    if (!isRunning() || isStale() || heartbeat.failed()) return;
    const size = state.sliceSizes.get(name) ?? loop.sliceRecords;
    const slice = takeSlice(fetched, from, size);
    const verdict = await settleSlice(loop, topic, partition, slice, fetched.slice(from + slice.length));
    const passed = passedBy(slice, verdict.settled);
    const last = passed.at(-1);
    if (last !== undefined) {
      await failpoint('before-offset-commit');
      // After the database commit and the acknowledged publishes: a crash before this line makes copies, never a loss.
      const next = BigInt(last.offset) + 1n;
      await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] });
      // After the commit: if that fails the records are read again, and with them the commit is tried again.
      resolveOffset(last.offset);
      loop.onCommit(topic, partition, next, Math.max(...passed.map(({ timestamp }) => Number(timestamp))));
      from += passed.length;
    }
    state.sliceSizes.set(name, nextSize(size, loop.sliceRecords, verdict.tooSlow === true));
    if (verdict.waitMs !== undefined) {
      loop.onPause(topic, partition, verdict.waitMs);
      pauseFor(verdict.waitMs, pause(), state.resumes);
      return;
    }
    if (passed.length < slice.length && verdict.tooSlow !== true) return;
  }
}

/** Records and passed offsets up to `size`, or one batch that could not be decoded. */
function takeSlice(fetched: readonly Fetched[], from: number, size: number): readonly Fetched[] {
  const slice = fetched.slice(from, from + size);
  const undecodable = slice.findIndex(({ kind }) => kind === 'undecodable');
  if (undecodable === -1) return slice;
  return slice.slice(0, Math.max(1, undecodable));
}

async function settleSlice(
  loop: PartitionLoop,
  topic: string,
  partition: number,
  slice: readonly Fetched[],
  rest: readonly Fetched[],
): Promise<Verdict> {
  const [first] = slice;
  if (first?.kind === 'undecodable')
    return loop.settleUndecodable(toUndecodable(topic, partition, first), toRecords(topic, partition, rest));
  const records = toRecords(topic, partition, slice);
  // Markers of transactions alone: there is nothing to do but to pass them.
  return records.length === 0 ? { settled: 0 } : loop.settle(records);
}

/** What may be committed once so many records are settled: they, and the passed offsets up to the next record. */
function passedBy(slice: readonly Fetched[], settled: number): readonly Fetched[] {
  let records = 0;
  const end = slice.findIndex(({ kind }) => kind !== 'passed' && (records += 1) > settled);
  return end === -1 ? slice : slice.slice(0, end);
}

/** Down fast, so that offsets move before the watchdog loses patience; up again with each slice that goes well. */
function nextSize(size: number, full: number, tooSlow: boolean): number {
  return tooSlow ? Math.max(1, Math.floor(size / 8)) : Math.min(full, size * 2);
}

interface LoopState {
  readonly resumes: Set<NodeJS.Timeout>;
  /** Records settled at once, by partition. */
  readonly sliceSizes: Map<string, number>;
}

function pauseFor(ms: number, resume: () => void, resumes: Set<NodeJS.Timeout>): void {
  const timer = setTimeout(() => {
    resumes.delete(timer);
    resume();
  }, ms);
  resumes.add(timer);
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

function toUndecodable(topic: string, partition: number, batch: UndecodableBatch): Undecodable {
  const { firstOffset, offset: lastOffset, timestamp, bytes, error } = batch;
  return { topic, partition, firstOffset, lastOffset, timestampMs: Number(timestamp), bytes, error };
}

import { failpoint } from '@board/service-kit';
// Its errors are no named exports for Node.
import kafkajs, { type Consumer as KafkaConsumer, type EachBatchPayload, type KafkaMessage } from 'kafkajs';
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

export interface PartitionLoop {
  readonly topics: readonly string[];
  readonly sliceRecords: number;
  /** Never throws. */
  readonly settle: (records: readonly SourceRecord[]) => Promise<Verdict>;
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
  for (let from = 0; from < batch.messages.length;) {
    if (!isRunning() || isStale() || heartbeat.failed()) return;
    const size = state.sliceSizes.get(name) ?? loop.sliceRecords;
    const messages = batch.messages.slice(from, from + size);
    const verdict = await loop.settle(messages.map((message) => toRecord(topic, partition, message)));
    const last = messages[verdict.settled - 1];
    if (last !== undefined) {
      await failpoint('before-offset-commit');
      // After the database commit and the acknowledged publishes: a crash before this line makes copies, never a loss.
      const nextOffset = String(BigInt(last.offset) + 1n);
      await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: nextOffset }] }] });
      // After the commit: if that fails the records are read again, and with them the commit is tried again.
      resolveOffset(last.offset);
      from += verdict.settled;
    }
    state.sliceSizes.set(name, nextSize(size, loop.sliceRecords, verdict.tooSlow === true));
    if (verdict.waitMs !== undefined) {
      loop.onPause(topic, partition, verdict.waitMs);
      pauseFor(verdict.waitMs, pause(), state.resumes);
      return;
    }
    if (verdict.settled < messages.length && verdict.tooSlow !== true) return;
  }
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

function toRecord(topic: string, partition: number, message: KafkaMessage): SourceRecord {
  return {
    origin: { topic, partition, offset: message.offset, timestampMs: Number(message.timestamp) },
    key: message.key,
    value: message.value,
    headers: message.headers ?? {},
  };
}

import { onOffsetReset, type OffsetReset } from '@board/kafka-kit';
import type { Kafka } from 'kafkajs';
import type { Inbox } from '../inbox.ts';
import type { MissingRange, ReadPosition } from '../store/store.ts';
import { clockSkewMs, findMissing, findMissingAtReset, nextToRemember, positionAfterLoss } from './find-missing.ts';
import type { LagProbe, PartitionPosition } from './lag.ts';

/** Remembers how far each partition was read, and notices when records went before they were. */
export interface PositionTracker {
  /** Told of each committed offset, and of the newest time among the records before it. */
  seen(topic: string, partition: number, nextOffset: bigint, newestMs: number): void;
  /** Compares what the brokers have with what is remembered, then remembers it; `owned`: partitions of this consumer. */
  look(owned: readonly PartitionPosition[]): Promise<void>;
  close(): Promise<void>;
}

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`;

export async function trackPositions(
  { store, logger }: Inbox,
  kafka: Kafka,
  groupId: string,
  probe: LagProbe,
): Promise<PositionTracker> {
  const newest = new Map<string, number>();
  const seenNext = new Map<string, bigint>();
  /** Looked at since they became this consumer's. */
  const known = new Set<string>();
  /** Something was missing when they were looked at last. */
  const suspected = new Set<string>();
  const admin = kafka.admin({ retry: { retries: 2 } });
  await admin.connect();

  /** Records the loss together with how the partition is remembered after it; returns the latter. */
  async function record(missing: MissingRange, position: PartitionPosition): Promise<ReadPosition> {
    const after = positionAfterLoss(position);
    await store.transaction(async ({ positions }) => {
      await positions.recordMissing(missing);
      await positions.store([after]);
    });
    // What was committed of the partition as it was says nothing of how far it is read now.
    seenNext.delete(nameOf(position));
    logger.error({ event: 'inbox.records-missing', ...missing, from: String(missing.from), to: String(missing.to) });
    return after;
  }

  const remembered = async (): Promise<Map<string, ReadPosition>> =>
    new Map((await store.transaction(({ positions }) => positions.read())).map((one) => [nameOf(one), one]));

  const stop = onOffsetReset(groupId, async (reset: OffsetReset) => {
    const position = (await probe.read()).find((one) => nameOf(one) === nameOf(reset));
    if (position === undefined) return;
    const missing = findMissingAtReset(reset, position, (await remembered()).get(nameOf(reset)));
    // Before kafkajs goes on from another offset: what throws here keeps it where it is.
    if (missing !== undefined) await record(missing, position);
  });

  async function firstAfter({ topic, partition, newestMs }: ReadPosition): Promise<bigint | undefined> {
    if (newestMs === 0) return undefined;
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, newestMs + clockSkewMs);
    const found = offsets.find((one) => one.partition === partition)?.offset;
    return found === undefined || BigInt(found) < 0n ? undefined : BigInt(found);
  }

  /** How it is remembered by now; undefined while it may not be remembered as it is now. */
  async function compare(before: ReadPosition, position: PartitionPosition): Promise<ReadPosition | undefined> {
    const name = nameOf(position);
    const missing = findMissing(before, position, known.has(name) ? undefined : await firstAfter(before));
    // A leader that was elected just now may know less for a moment.
    if (missing !== undefined && !suspected.has(name)) {
      suspected.add(name);
      return undefined;
    }
    suspected.delete(name);
    const after = missing === undefined ? before : await record(missing, position);
    known.add(name);
    return after;
  }

  return {
    seen(topic, partition, next, newestMs) {
      const name = nameOf({ topic, partition });
      seenNext.set(name, next);
      newest.set(name, Math.max(newest.get(name) ?? 0, newestMs));
    },
    async look(owned) {
      const stands = await remembered();
      const moved: ReadPosition[] = [];
      for (const position of owned) {
        const name = nameOf(position);
        const stood = stands.get(name);
        const before = stood && (await compare(stood, position));
        if (stood !== undefined && before === undefined) continue;
        const newestMs = Math.max(newest.get(name) ?? 0, before?.newestMs ?? 0);
        const { topic, partition, end } = position;
        const next = nextToRemember(before, position, seenNext.get(name));
        if (before?.next !== next || before.end !== end || before.newestMs !== newestMs)
          moved.push({ topic, partition, next, end, newestMs });
      }
      // Those of other instances are looked at anew once they come here.
      const here = new Set(owned.map(nameOf));
      for (const name of known) if (!here.has(name)) known.delete(name);
      if (moved.length > 0) await store.transaction(({ positions }) => positions.store(moved));
    },
    async close() {
      stop();
      await admin.disconnect();
    },
  };
}

import { openAdmin, type OffsetReset, onOffsetReset } from '@board/kafka';
import type { Kafka } from 'kafkajs';
import type { Inbox } from '../inbox.ts';
import type { MissingRange, ReadPosition } from '../store/store.ts';
import { type LagReader, type PartitionPosition, nextOffset } from './lag.ts';

/** Remembers how far each partition was read, and notices when records went before they were. */
export interface PositionTracker {
  /** Notes a committed offset, and the newest time among the records before it. */
  seen(topic: string, partition: number, nextOffset: bigint, newestMs: number): void;
  /**
   * Compares what the brokers have with what is remembered, then remembers it; `owned`: partitions
   * of this consumer.
   */
  compare(owned: readonly PartitionPosition[]): Promise<void>;
  close(): Promise<void>;
}

const nameOf = ({
  topic,
  partition,
}: {
  readonly topic: string;
  readonly partition: number;
}): string => `${topic}/${partition}`;

/** Tracks the positions of one group; records a loss and logs it when it finds one. */
export async function trackPositions(
  { store, logger }: Inbox,
  kafka: Kafka,
  groupId: string,
  lagReader: LagReader,
): Promise<PositionTracker> {
  const newest = new Map<string, number>();
  const seenNext = new Map<string, bigint>();
  /** Compared since they became this consumer's. */
  const known = new Set<string>();
  /** Something was missing when they were compared last; the next comparison confirms it. */
  const unconfirmed = new Set<string>();
  const admin = await openAdmin(kafka, { retries: 2 });

  /**
   * Records the loss together with how the partition is remembered after it; returns the latter.
   */
  async function record(missing: MissingRange, position: PartitionPosition): Promise<ReadPosition> {
    const after = positionAfterLoss(position);
    await store.transaction(async ({ positions }) => {
      await positions.recordMissing(missing);
      await positions.store([after]);
    });
    // What was committed of the partition as it was says nothing of how far it is read now.
    seenNext.delete(nameOf(position));
    logger.error({
      event: 'inbox.records-missing',
      ...missing,
      from: String(missing.from),
      to: String(missing.to),
    });
    return after;
  }

  const remembered = async (): Promise<Map<string, ReadPosition>> =>
    new Map(
      (await store.transaction(({ positions }) => positions.read())).map((one) => [
        nameOf(one),
        one,
      ]),
    );

  const stop = onOffsetReset(groupId, async (reset: OffsetReset) => {
    const position = (await lagReader.read()).find((one) => nameOf(one) === nameOf(reset));
    if (position === undefined) return;
    const missing = findMissingAtReset(reset, position, (await remembered()).get(nameOf(reset)));
    // Before kafkajs goes on from another offset: what throws here keeps it where it is.
    if (missing !== undefined) await record(missing, position);
  });

  async function firstAfter({
    topic,
    partition,
    newestMs,
  }: ReadPosition): Promise<bigint | undefined> {
    if (newestMs === 0) return undefined;
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, newestMs + clockSkewMs);
    const found = offsets.find((one) => one.partition === partition)?.offset;
    return found === undefined || BigInt(found) < 0n ? undefined : BigInt(found);
  }

  /** How it is remembered by now; undefined while it may not be remembered as it is now. */
  async function compareOne(
    before: ReadPosition,
    position: PartitionPosition,
  ): Promise<ReadPosition | undefined> {
    const name = nameOf(position);
    const missing = findMissing(
      before,
      position,
      known.has(name) ? undefined : await firstAfter(before),
    );
    // A leader that was elected just now may know less for a moment.
    if (missing !== undefined && !unconfirmed.has(name)) {
      unconfirmed.add(name);
      return undefined;
    }
    unconfirmed.delete(name);
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
    async compare(owned) {
      const stands = await remembered();
      const moved: ReadPosition[] = [];
      for (const position of owned) {
        const name = nameOf(position);
        const stood = stands.get(name);
        const before = stood && (await compareOne(stood, position));
        if (stood !== undefined && before === undefined) continue;
        const newestMs = Math.max(newest.get(name) ?? 0, before?.newestMs ?? 0);
        const { topic, partition, end } = position;
        const next = nextToRemember(before, position, seenNext.get(name));
        if (before?.next !== next || before.end !== end || before.newestMs !== newestMs)
          moved.push({ topic, partition, next, end, newestMs });
      }
      // Those of other instances are compared anew once they come here.
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

/**
 * What a group lost that asked for an offset which its partition does not have; undefined when it
 * lost nothing. `before`: how the partition is remembered, undefined when it is not.
 */
export function findMissingAtReset(
  { topic, partition, wanted }: OffsetReset,
  { low, end, committed }: Pick<PartitionPosition, 'low' | 'end' | 'committed'>,
  before: ReadPosition | undefined,
): MissingRange | undefined {
  // A member that the group has lost asks for what another one has read and an operator has
  // trimmed.
  if (committed !== undefined && committed > wanted && committed >= low) return undefined;
  if (wanted < low) {
    // Or for what another one has found missing.
    const from = before !== undefined && before.next > wanted ? before.next : wanted;
    return from < low ? deletedUnread(topic, partition, from, low - 1n) : undefined;
  }
  if (wanted <= end) return undefined;
  const ended = before !== undefined && before.end > wanted ? before.end : wanted;
  return shrunk({ topic, partition, next: wanted, end: ended, newestMs: 0 }, end);
}

/** How far the clocks of two brokers that lead a partition in turn may be apart. */
const clockSkewMs = 60_000;

/**
 * What is missing of a partition that was remembered; undefined when nothing is. `firstAfter`: the
 * offset of the first record that is newer, by more than the clocks may differ, than all that were
 * processed: undefined when there is none or it is not known.
 */
export function findMissing(
  before: ReadPosition,
  now: PartitionPosition,
  firstAfter: bigint | undefined,
): MissingRange | undefined {
  const { topic, partition, next } = before;
  if (now.end < before.end) return shrunk(before, now.end);
  if (firstAfter !== undefined && firstAfter < next) return replaced(before, firstAfter);
  // Committed offsets are trimmed away in the retry topics, and may be ahead of what is remembered.
  if (now.committed === undefined && now.low > next)
    return deletedUnread(topic, partition, next, now.low - 1n);
  return undefined;
}

/**
 * How a partition is remembered from the moment that its missing range is recorded. Nothing that it
 * holds counts as read, until the group has read on: otherwise each comparison, restart and new
 * owner would find the same loss again, after an audit too.
 */
export function positionAfterLoss({
  topic,
  partition,
  low,
  end,
}: Omit<PartitionPosition, 'committed'>): ReadPosition {
  return { topic, partition, next: low, end, newestMs: 0 };
}

/**
 * The offset before which everything counts as read from now on. `committedHere`: what this process
 * committed last.
 */
export function nextToRemember(
  before: ReadPosition | undefined,
  position: PartitionPosition,
  committedHere: bigint | undefined,
): bigint {
  const reached = nextOffset(position);
  if (before === undefined) return reached;
  // The group asks for it in vain: what that costs was recorded just now, or will be at the reset.
  if (reached < position.low) return before.next;
  // What another instance has read since is remembered once this one has read on: only then are its
  // times known here.
  return reached <= (committedHere ?? before.next) ? reached : before.next;
}

function deletedUnread(topic: string, partition: number, from: bigint, to: bigint): MissingRange {
  const reason = `records ${from} to ${to} of ${topic}/${partition} were deleted before they were read`;
  return { topic, partition, from, to, reason };
}

/**
 * The brokers lost records, or the topic was deleted and made again: what was not read of the old
 * one is gone.
 */
function shrunk(before: ReadPosition, end: bigint): MissingRange {
  const { topic, partition, next } = before;
  const from = next < end ? next : end;
  const reason =
    `${topic}/${partition} ends at ${end} and ended at ${before.end}: the topic was made again or cut off; ` +
    `of the old one, records from ${next} on were not read`;
  return { topic, partition, from, to: before.end > from ? before.end - 1n : from, reason };
}

function replaced(before: ReadPosition, firstAfter: bigint): MissingRange {
  const { topic, partition, next } = before;
  const reason =
    `${topic}/${partition} holds newer records at ${firstAfter} than it held below ${next}: the topic was made again; ` +
    `of the old one, records from ${next} on may not have been read, and of this one those below ${next}`;
  return { topic, partition, from: firstAfter, to: next - 1n, reason };
}

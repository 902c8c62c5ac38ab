import type { OffsetReset } from '@board/kafka-kit';
import type { MissingRange, ReadPosition } from '../store/store.ts';
import { nextOffset, type PartitionPosition } from './lag.ts';

/**
 * What a group lost that asked for an offset which its partition does not have; undefined when it lost nothing. `before`: how
 * the partition is remembered, undefined when it is not.
 */
export function findMissingAtReset(
  { topic, partition, wanted }: OffsetReset,
  { low, end, committed }: Pick<PartitionPosition, 'low' | 'end' | 'committed'>,
  before: ReadPosition | undefined,
): MissingRange | undefined {
  // A member that the group has lost asks for what another one has read and an operator has trimmed.
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
export const clockSkewMs = 60_000;

/**
 * What is missing of a partition that was remembered; undefined when nothing is. `firstAfter`: the offset of the first record
 * that is newer, by more than the clocks may differ, than all that were processed: undefined when there is none or it is not known.
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
  if (now.committed === undefined && now.low > next) return deletedUnread(topic, partition, next, now.low - 1n);
  return undefined;
}

/**
 * How a partition is remembered from the moment that its missing range is recorded. Nothing that it holds counts as read, until
 * the group has read on: otherwise each look, restart and new owner would find the same loss again, after an audit too.
 */
export function positionAfterLoss({ topic, partition, low, end }: Omit<PartitionPosition, 'committed'>): ReadPosition {
  return { topic, partition, next: low, end, newestMs: 0 };
}

/** The offset before which everything counts as read from now on. `committedHere`: what this process committed last. */
export function nextToRemember(
  before: ReadPosition | undefined,
  position: PartitionPosition,
  committedHere: bigint | undefined,
): bigint {
  const reached = nextOffset(position);
  if (before === undefined) return reached;
  // The group asks for it in vain: what that costs was recorded just now, or will be at the reset.
  if (reached < position.low) return before.next;
  // What another instance has read since is remembered once this one has read on: only then are its times known here.
  return reached <= (committedHere ?? before.next) ? reached : before.next;
}

function deletedUnread(topic: string, partition: number, from: bigint, to: bigint): MissingRange {
  const reason = `records ${from} to ${to} of ${topic}/${partition} were deleted before they were read`;
  return { topic, partition, from, to, reason };
}

/** The brokers lost records, or the topic was deleted and made again: what was not read of the old one is gone. */
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

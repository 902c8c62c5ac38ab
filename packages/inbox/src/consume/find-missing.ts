import type { OffsetReset } from '@board/kafka-kit';
import type { MissingRange, ReadPosition } from '../database/missing-ranges.ts';
import type { PartitionPosition } from './lag-probe.ts';

/** What a group lost that asked for an offset which its partition does not have; undefined when it lost nothing. */
export function findMissingAtReset(
  { topic, partition, wanted }: OffsetReset,
  { low, end, committed }: Pick<PartitionPosition, 'low' | 'end' | 'committed'>,
): MissingRange | undefined {
  // A member that the group has lost asks for what another one has read and an operator has trimmed.
  if (committed !== undefined && committed > wanted && committed >= low) return undefined;
  if (wanted < low) return deletedUnread(topic, partition, wanted, low - 1n);
  if (wanted > end) return shrunk({ topic, partition, next: wanted, end: wanted, newestMs: 0 }, end);
  return undefined;
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

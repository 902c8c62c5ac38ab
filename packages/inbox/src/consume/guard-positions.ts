import { onOffsetReset, type OffsetReset } from '@board/kafka-kit';
import type { Admin, Kafka } from 'kafkajs';
import type { EntityManager } from 'typeorm';
import {
  readPositions,
  recordMissing,
  storePositions,
  type MissingRange,
  type ReadPosition,
} from '../database/missing-ranges.ts';
import { inTransaction } from '../database/transaction.ts';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { clockSkewMs, findMissing, findMissingAtReset } from './find-missing.ts';
import { nextOffset, type LagProbe, type PartitionPosition } from './lag-probe.ts';

/** Remembers how far each partition was read, and notices when records went before they were. */
export interface PositionGuard {
  /** Told of each committed offset, and of the newest time among the records before it. */
  seen(topic: string, partition: number, nextOffset: bigint, newestMs: number): void;
  /** Compares what the brokers have with what is remembered, then remembers it; `owned`: partitions of this consumer. */
  look(owned: readonly PartitionPosition[]): Promise<void>;
  close(): Promise<void>;
}

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`;

export async function guardPositions<E extends DecodedEvent>(
  inbox: Inbox<E>,
  kafka: Kafka,
  groupId: string,
  probe: LagProbe,
): Promise<PositionGuard> {
  const { consumer, dataSource, logger, now } = inbox;
  const stored = <Result>(work: (tx: EntityManager) => Promise<Result>): Promise<Result> =>
    inTransaction(
      dataSource,
      () => inbox.metrics.rerun(),
      ({ tx }) => work(tx),
    );
  const newest = new Map<string, number>();
  const seenNext = new Map<string, bigint>();
  /** Looked at since they became this consumer's. */
  const known = new Set<string>();
  /** Something was missing when they were looked at last. */
  const suspected = new Set<string>();
  const admin: Admin = kafka.admin({ retry: { retries: 2 } });
  await admin.connect();

  async function record(missing: MissingRange): Promise<void> {
    await stored((tx) => recordMissing(tx, consumer, missing, now()));
    logger.error({ event: 'inbox.records-missing', ...missing, from: String(missing.from), to: String(missing.to) });
  }

  const stop = onOffsetReset(groupId, async (reset: OffsetReset) => {
    const position = (await probe.read()).find((one) => nameOf(one) === nameOf(reset));
    const missing = position && findMissingAtReset(reset, position);
    // Before kafkajs goes on from another offset: what throws here keeps it where it is.
    if (missing !== undefined) await record(missing);
  });

  async function firstAfter({ topic, partition, newestMs }: ReadPosition): Promise<bigint | undefined> {
    if (newestMs === 0) return undefined;
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, newestMs + clockSkewMs);
    const found = offsets.find((one) => one.partition === partition)?.offset;
    return found === undefined || BigInt(found) < 0n ? undefined : BigInt(found);
  }

  /** True when it may be remembered as it is now. */
  async function compare(before: ReadPosition, position: PartitionPosition): Promise<boolean> {
    const name = nameOf(position);
    const missing = findMissing(before, position, known.has(name) ? undefined : await firstAfter(before));
    if (missing === undefined) suspected.delete(name);
    // A leader that was elected just now may know less for a moment.
    else if (!suspected.has(name)) {
      suspected.add(name);
      return false;
    } else await record(missing);
    known.add(name);
    return true;
  }

  return {
    seen(topic, partition, next, newestMs) {
      const name = nameOf({ topic, partition });
      seenNext.set(name, next);
      newest.set(name, Math.max(newest.get(name) ?? 0, newestMs));
    },
    async look(owned) {
      const remembered = new Map((await stored((tx) => readPositions(tx, consumer))).map((one) => [nameOf(one), one]));
      const moved: ReadPosition[] = [];
      for (const position of owned) {
        const before = remembered.get(nameOf(position));
        if (before !== undefined && !(await compare(before, position))) continue;
        const newestMs = Math.max(newest.get(nameOf(position)) ?? 0, before?.newestMs ?? 0);
        const { topic, partition, end } = position;
        // What another instance has read since is remembered once this one has read on: only then are its times known here.
        const isKnown = before === undefined || nextOffset(position) <= (seenNext.get(nameOf(position)) ?? before.next);
        const next = isKnown ? nextOffset(position) : before.next;
        if (before?.next !== next || before.end !== end || before.newestMs !== newestMs)
          moved.push({ topic, partition, next, end, newestMs });
      }
      // Those of other instances are looked at anew once they come here.
      const here = new Set(owned.map(nameOf));
      for (const name of known) if (!here.has(name)) known.delete(name);
      if (moved.length > 0) await stored((tx) => storePositions(tx, consumer, moved));
    },
    async close() {
      stop();
      await admin.disconnect();
    },
  };
}

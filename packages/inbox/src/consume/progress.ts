import { nextOffset, type PartitionPosition } from './lag-probe.ts';

export interface Progress {
  /** The partition is left alone on purpose for so long; a consumer that says so is alive. */
  paused(topic: string, partition: number, forMs: number): void;
  /**
   * Takes what the brokers say about the partitions that this consumer owns, and how long after the look before; returns how
   * long the worst of them has had records waiting without any progress, in milliseconds.
   */
  observe(positions: readonly PartitionPosition[], sinceLastLookMs: number): number;
}

interface Seen {
  /** Undefined until the brokers were asked. */
  readonly committed: bigint | undefined;
  /** Negative while a declared pause lasts. */
  readonly stalledMs: number;
}

/** Notices a consumer that makes no progress although records wait. */
export function trackProgress(): Progress {
  const seen = new Map<string, Seen>();
  const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;

  return {
    paused(topic, partition, forMs) {
      const key = keyOf(topic, partition);
      seen.set(key, { committed: seen.get(key)?.committed, stalledMs: -forMs });
    },
    observe(positions, sinceLastLookMs) {
      const owned = new Set(positions.map(({ topic, partition }) => keyOf(topic, partition)));
      for (const key of seen.keys()) if (!owned.has(key)) seen.delete(key);
      for (const position of positions) {
        const { topic, partition, end } = position;
        const committed = nextOffset(position);
        const key = keyOf(topic, partition);
        const last = seen.get(key);
        const waitedMs = (last?.stalledMs ?? 0) + sinceLastLookMs;
        const waits = last !== undefined && committed < end && (last.committed ?? committed) === committed;
        // What is left of a declared pause stays: the last records before it may have moved the offset.
        seen.set(key, { committed, stalledMs: waits ? waitedMs : Math.min(0, waitedMs) });
      }
      return Math.max(0, ...[...seen.values()].map(({ stalledMs }) => stalledMs));
    },
  };
}

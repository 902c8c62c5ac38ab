import { nextOffset, type PartitionPosition } from './lag-probe.ts';

export interface Progress {
  /** The partition is left alone on purpose until then; time in a declared pause is no stall. */
  paused(topic: string, partition: number, untilMs: number): void;
  /**
   * Takes what the brokers say about the partitions that this consumer owns; returns how long the worst of them
   * has had records waiting without any progress, in milliseconds.
   */
  observe(positions: readonly PartitionPosition[], nowMs: number): number;
}

interface Seen {
  readonly committed: bigint;
  readonly sinceMs: number;
}

/** Notices a consumer that makes no progress although records wait. */
export function trackProgress(): Progress {
  const pausedUntil = new Map<string, number>();
  const seen = new Map<string, Seen>();
  const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;

  return {
    paused: (topic, partition, untilMs) => void pausedUntil.set(keyOf(topic, partition), untilMs),
    observe(positions, nowMs) {
      let worstMs = 0;
      const owned = new Set(positions.map(({ topic, partition }) => keyOf(topic, partition)));
      for (const key of seen.keys()) if (!owned.has(key)) seen.delete(key);
      for (const position of positions) {
        const { topic, partition, end } = position;
        const committed = nextOffset(position);
        const key = keyOf(topic, partition);
        const last = seen.get(key);
        const excused = committed >= end || (pausedUntil.get(key) ?? 0) >= nowMs;
        if (!last || last.committed !== committed || excused) seen.set(key, { committed, sinceMs: nowMs });
        else worstMs = Math.max(worstMs, nowMs - last.sinceMs);
      }
      return worstMs;
    },
  };
}

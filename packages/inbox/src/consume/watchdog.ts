import type { ReadinessState } from '@board/service';
import type { Consumer as KafkaConsumer } from 'kafkajs';
import { describeError } from '../errors.ts';
import type { Inbox } from '../inbox.ts';
import { nextOffset, type LagReader, type PartitionPosition } from './lag.ts';
import type { PositionTracker } from './positions.ts';

export interface WatchdogOptions {
  readonly name: string;
  readonly consumer: KafkaConsumer;
  readonly lagReader: LagReader;
  readonly positions: PositionTracker;
  readonly inbox: Inbox;
  readonly readiness: ReadinessState;
  /** Called with the partitions that are this consumer's from now on. */
  readonly onJoin: (owns: (topic: string, partition: number) => boolean) => void;
  /**
   * Ends the process: clients are known to stall without an error, and only a new process helps.
   */
  readonly fail: (error: Error) => void;
}

export interface Watchdog {
  readonly paused: Progress['paused'];
  stop(): Promise<void>;
}

const longestIntervalMs = 5_000;

/**
 * Sets readiness by whether the consumer is in its group, and ends the process when kafkajs has
 * given up or stalled.
 */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { name, consumer, lagReader, positions: memory, inbox, readiness, onJoin, fail } = options;
  const { GROUP_JOIN, REBALANCING, CRASH, STOP } = consumer.events;
  const progress = trackProgress();
  const checkEveryMs = Math.min(longestIntervalMs, inbox.settings.maxStallMs / 4);
  let checkedAtMs = inbox.clock.elapsedMs();
  let assignment: Readonly<Record<string, readonly number[]>> = {};
  const owns = (topic: string, partition: number): boolean =>
    assignment[topic]?.includes(partition) === true;

  const undo = [
    consumer.on(GROUP_JOIN, ({ payload }) => {
      assignment = payload.memberAssignment;
      onJoin(owns);
      readiness.ready();
      inbox.logger.info({ event: 'inbox.joined', consumer: name, assignment });
    }),
    consumer.on(REBALANCING, () =>
      inbox.logger.info({ event: 'inbox.rebalancing', consumer: name }),
    ),
    consumer.on(STOP, () => readiness.notReady('the consumer has stopped')),
    consumer.on(CRASH, ({ payload }) => {
      readiness.notReady('the consumer lost its group');
      // kafkajs restarts after errors that may pass; after any other the consumer is dead while the
      // process lives.
      if (!payload.restart)
        fail(new Error(`${name} crashed: ${describeError(payload.error).message}`));
    }),
  ];

  async function check(): Promise<void> {
    let positions: PartitionPosition[];
    try {
      positions = await lagReader.read();
      inbox.alarms.clear(`lag of ${name}`);
    } catch (error) {
      // Brokers that do not answer hold up every consumer; that is not a stall of this one, so the time
      // until now is not counted.
      checkedAtMs = inbox.clock.elapsedMs();
      inbox.alarms.raise(
        `lag of ${name}`,
        `the lag of the ${name} is not known: ${describeError(error).message}`,
      );
      return;
    }
    const owned = positions.filter(({ topic, partition }) => owns(topic, partition));
    for (const position of positions) {
      const { topic, partition, end } = position;
      inbox.metrics.lag(
        topic,
        partition,
        owns(topic, partition) ? Number(end - nextOffset(position)) : undefined,
      );
    }
    try {
      await memory.compare(owned);
    } catch (error) {
      inbox.logger.warn({ event: 'inbox.positions-not-kept', consumer: name, err: error });
    }
    const nowMs = inbox.clock.elapsedMs();
    // Capped: a check that took longer has itself waited for brokers.
    const stalledMs = progress.observe(owned, Math.min(nowMs - checkedAtMs, 2 * checkEveryMs));
    checkedAtMs = nowMs;
    if (stalledMs >= inbox.settings.maxStallMs)
      fail(
        new Error(`${name} made no progress for ${Math.round(stalledMs)} ms although records wait`),
      );
  }

  let checking: Promise<void> | undefined;
  const timer = setInterval(() => {
    // One at a time: checks that queued up while the brokers were silent would all count at once.
    checking ??= check().finally(() => (checking = undefined));
  }, checkEveryMs);

  return {
    paused: (topic, partition, forMs) => progress.paused(topic, partition, forMs),
    async stop() {
      clearInterval(timer);
      for (const remove of undo) remove();
      await checking;
      await lagReader.close();
    },
  };
}

export interface Progress {
  /** The partition is paused on purpose for so long; a consumer that declares it is alive. */
  paused(topic: string, partition: number, forMs: number): void;
  /**
   * Takes what the brokers say about the partitions that this consumer owns, and the time since the
   * call before; returns how long the worst of them has had records waiting without any progress,
   * in milliseconds.
   */
  observe(positions: readonly PartitionPosition[], sinceLastMs: number): number;
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
    observe(positions, sinceLastMs) {
      const owned = new Set(positions.map(({ topic, partition }) => keyOf(topic, partition)));
      for (const key of seen.keys()) if (!owned.has(key)) seen.delete(key);
      for (const position of positions) {
        const { topic, partition, end } = position;
        const committed = nextOffset(position);
        const key = keyOf(topic, partition);
        const last = seen.get(key);
        const waitedMs = (last?.stalledMs ?? 0) + sinceLastMs;
        const waits =
          last !== undefined && committed < end && (last.committed ?? committed) === committed;
        // What is left of a declared pause stays: the last records before it may have moved the
        // offset.
        seen.set(key, { committed, stalledMs: waits ? waitedMs : Math.min(0, waitedMs) });
      }
      return Math.max(0, ...[...seen.values()].map(({ stalledMs }) => stalledMs));
    },
  };
}

import type { ReadinessState } from '@board/service-kit';
import type { Consumer as KafkaConsumer } from 'kafkajs';
import type { DecodedEvent } from '../handler.ts';
import type { Inbox } from '../inbox.ts';
import { describeError } from '../route/describe-error.ts';
import type { PositionGuard } from './guard-positions.ts';
import { nextOffset, type LagProbe, type PartitionPosition } from './lag-probe.ts';
import { trackProgress, type Progress } from './progress.ts';

export interface WatchOptions<E extends DecodedEvent> {
  readonly name: string;
  readonly consumer: KafkaConsumer;
  readonly probe: LagProbe;
  readonly positions: PositionGuard;
  readonly inbox: Inbox<E>;
  readonly readiness: ReadinessState;
  /** Told which partitions are this consumer's from now on. */
  readonly onJoin: (owns: (topic: string, partition: number) => boolean) => void;
  /** Ends the process: clients of every kind are known to stall without a word, and only a new process mends that. */
  readonly fail: (error: Error) => void;
}

export interface Watch {
  readonly paused: Progress['paused'];
  stop(): Promise<void>;
}

const longestLookMs = 5_000;

/** Tells readiness whether the consumer is in its group, and ends the process when kafkajs has given up or stalled. */
export function startWatch<E extends DecodedEvent>(options: WatchOptions<E>): Watch {
  const { name, consumer, probe, positions: memory, inbox, readiness, onJoin, fail } = options;
  const { GROUP_JOIN, REBALANCING, CRASH, STOP } = consumer.events;
  const progress = trackProgress();
  const lookEveryMs = Math.min(longestLookMs, inbox.settings.maxStallMs / 4);
  let lookedAtMs = inbox.elapsedMs();
  let assignment: Readonly<Record<string, readonly number[]>> = {};
  const owns = (topic: string, partition: number): boolean => assignment[topic]?.includes(partition) === true;

  const undo = [
    consumer.on(GROUP_JOIN, ({ payload }) => {
      assignment = payload.memberAssignment;
      onJoin(owns);
      readiness.ready();
      inbox.logger.info({ event: 'inbox.joined', consumer: name, assignment });
    }),
    consumer.on(REBALANCING, () => inbox.logger.info({ event: 'inbox.rebalancing', consumer: name })),
    consumer.on(STOP, () => readiness.notReady('the consumer has stopped')),
    consumer.on(CRASH, ({ payload }) => {
      readiness.notReady('the consumer lost its group');
      // kafkajs restarts after errors that may pass; after any other the consumer is dead while the process lives.
      if (!payload.restart) fail(new Error(`${name} crashed: ${describeError(payload.error).message}`));
    }),
  ];

  async function look(): Promise<void> {
    let positions: PartitionPosition[];
    try {
      positions = await probe.read();
      inbox.alarms.clear(`lag of ${name}`);
    } catch (error) {
      // Brokers that do not answer hold everybody up; that is no stall of ours, so the time until now is not counted.
      lookedAtMs = inbox.elapsedMs();
      inbox.alarms.raise(`lag of ${name}`, `the lag of the ${name} is not known: ${describeError(error).message}`);
      return;
    }
    const owned = positions.filter(({ topic, partition }) => owns(topic, partition));
    for (const position of positions) {
      const { topic, partition, end } = position;
      inbox.metrics.lag(topic, partition, owns(topic, partition) ? Number(end - nextOffset(position)) : undefined);
    }
    try {
      await memory.look(owned);
    } catch (error) {
      inbox.logger.warn({ event: 'inbox.positions-not-kept', consumer: name, err: error });
    }
    const nowMs = inbox.elapsedMs();
    // Capped: a look that took longer has itself waited for brokers.
    const stalledMs = progress.observe(owned, Math.min(nowMs - lookedAtMs, 2 * lookEveryMs));
    lookedAtMs = nowMs;
    if (stalledMs >= inbox.settings.maxStallMs)
      fail(new Error(`${name} made no progress for ${Math.round(stalledMs)} ms although records wait`));
  }

  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    // One at a time: looks that queued up while the brokers were silent would all count at once.
    looking ??= look().finally(() => (looking = undefined));
  }, lookEveryMs);

  return {
    paused: (topic, partition, forMs) => progress.paused(topic, partition, forMs),
    async stop() {
      clearInterval(timer);
      for (const remove of undo) remove();
      await looking;
      await probe.close();
    },
  };
}

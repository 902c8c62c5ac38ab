import type { Health, Scope } from '@board/service';
import type { Kafka } from 'kafkajs';
import type { Inbox } from '../inbox.ts';
import { openLagReader } from './lag.ts';
import { createPartitionLoop, runPartitionLoop } from './partition-loop.ts';
import { pauseOnError, type ReadDelivery } from './pause-on-error.ts';
import { trackPositions } from './positions.ts';
import { holdWhileOpen, type Process } from './process.ts';
import { startWatchdog } from './watchdog.ts';

export interface ConsumerOptions {
  /** As readiness, log lines and alarms name it. */
  readonly name: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly process: Process;
  readonly readDelivery: ReadDelivery;
  readonly kafka: Kafka;
  readonly scope: Scope;
  readonly health: Health;
  /** Ends the process: for what only a new process can repair. */
  readonly fail: (error: Error) => void;
}

// Short sessions and polls: a killed consumer's partitions move on within seconds, a paused one
// resumes on time.
const timing = {
  sessionTimeout: 10_000,
  heartbeatInterval: 3_000,
  rebalanceTimeout: 15_000,
  maxWaitTimeInMs: 250,
};

/** Joins a group and processes its topics until the scope closes. */
export async function startConsumer(inbox: Inbox, options: ConsumerOptions): Promise<void> {
  const { name, groupId, topics, process, readDelivery, kafka, scope, health, fail } = options;
  const { settings, breaker, clock } = inbox;
  const readiness = health.readiness.state(name, 'has not joined its group yet');
  const consumer = kafka.consumer({
    groupId,
    ...timing,
    metadataMaxAge: settings.findPartitionsEveryMs,
  });
  const boundary = pauseOnError(inbox, readDelivery, holdWhileOpen(breaker, process));
  const lagReader = await openLagReader(kafka, groupId, topics);
  const positions = await trackPositions(inbox, kafka, groupId, lagReader);
  scope.defer(`positions of ${name}`, () => positions.close());
  const onJoin = boundary.reassigned;
  const watchdog = startWatchdog({
    name,
    consumer,
    lagReader,
    positions,
    inbox,
    readiness,
    onJoin,
    fail,
  });
  scope.defer(`watch of ${name}`, () => watchdog.stop());
  const loop = createPartitionLoop({
    sliceRecords: settings.batchRecords,
    process: boundary.process,
    clock,
    onCommit: positions.seen,
    onPause: watchdog.paused,
  });
  scope.defer(name, await runPartitionLoop(consumer, topics, loop));
}

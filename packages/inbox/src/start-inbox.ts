import { deadLetterTopicName, groupTopics, type TopicDefinition } from '@board/contracts';
import { createElapsedClock, type Health, type Logger, type Scope } from '@board/service-kit';
import type { Kafka } from 'kafkajs';
import type { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { createTurns } from './apply/create-turns.ts';
import { repeat } from './apply/repeat.ts';
import { trackSchemaFailures } from './apply/schema-failures.ts';
import { startLookout } from './apply/start-lookout.ts';
import { startSweeper } from './apply/start-sweeper.ts';
import { createBoundary } from './consume/boundary.ts';
import { countControls } from './consume/controls.ts';
import { guardPositions } from './consume/guard-positions.ts';
import { trackFirstSeen } from './consume/first-seen.ts';
import { heldByGuard } from './consume/held-by-guard.ts';
import { openLagProbe } from './consume/lag-probe.ts';
import { runPartitionLoop, type Verdict } from './consume/partition-loop.ts';
import { settleRetry } from './consume/settle-retry.ts';
import { settleSource, toDelivery } from './consume/settle-source.ts';
import { startWatch } from './consume/watch.ts';
import { findSkippedAhead } from './database/skipped.ts';
import { probeAggregateId } from './decide/identity.ts';
import { createDecoder } from './decode.ts';
import type { Delivery } from './delivery.ts';
import type { DecodedEvent, Handler } from './handler.ts';
import type { Inbox } from './inbox.ts';
import type { SourceRecord } from './record.ts';
import { createInboxMetrics } from './metrics.ts';
import { connectRegistry } from './registry.ts';
import { createSchemaResolver, type ReaderSchema } from './resolve-schemas.ts';
import { createFloodGuard } from './route/flood-guard.ts';
import { fromRetry } from './route/from-retry.ts';
import { connectPublisher } from './route/publish.ts';
import { defaultSettings, type InboxSettings } from './settings.ts';

export interface InboxOptions<E extends DecodedEvent> {
  readonly group: string;
  readonly source: TopicDefinition;
  readonly aggregateType: string;
  readonly handler: Handler<E>;
  readonly readers: readonly ReaderSchema[];
  readonly registryUrl: string;
  readonly kafka: Kafka;
  readonly dataSource: DataSource;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  readonly scope: Scope;
  /** Ends the process: for what only a new process can mend. */
  readonly fail: (error: Error) => void;
  readonly settings?: Partial<InboxSettings>;
}

/** Consumes a source topic and its group's retry topics until the scope closes. */
export async function startInbox<E extends DecodedEvent>(options: InboxOptions<E>): Promise<Inbox<E>> {
  const { group, source, kafka, scope, logger, health } = options;
  const settings: InboxSettings = { ...defaultSettings, ...options.settings };

  const [routeTopic] = groupTopics(group, source);
  const allowedBytes = Number(routeTopic?.config['max.message.bytes'] ?? 0);
  const publisher = await connectPublisher(kafka, settings, allowedBytes);
  scope.defer('route publisher', () => publisher.close());
  const consumer = { group, aggregateType: options.aggregateType };
  const { dataSource } = options;
  const { alarms } = health;
  const metrics = createInboxMetrics(options.metrics);
  const clock = createElapsedClock();
  scope.defer('clock', () => clock.stop());
  const elapsedMs = (): number => clock.now();
  const guard = createFloodGuard({ consumer, dataSource, settings, alarms, metrics, logger, elapsedMs });
  await guard.refresh();
  const schemas = createSchemaResolver({
    registry: connectRegistry(options.registryUrl),
    readers: options.readers,
    consumer,
    dataSource,
    settings,
    alarms,
    logger,
    now: () => Date.now(),
    elapsedMs,
  });
  scope.defer(
    'schema check',
    repeat(settings.schemaCheckEveryMs, () => schemas.check()),
  );
  const inbox: Inbox<E> = {
    consumer,
    dataSource,
    decoder: createDecoder<E>(schemas),
    handler: options.handler,
    publisher,
    settings,
    logger,
    guard,
    controls: countControls(),
    schemaFailures: trackSchemaFailures(settings.schemaPatienceMs, elapsedMs),
    metrics,
    alarms,
    drainTurns: createTurns(),
    skippedAhead: await findSkippedAhead(dataSource.manager, consumer),
    now: () => Date.now(),
    elapsedMs,
  };

  const lookout = startLookout(inbox, health.readiness.state('parking', 'not looked at yet'));
  scope.defer('lookout', () => lookout.stop());
  scope.defer('sweeper', startSweeper(inbox));

  await startConsumer(inbox, options, {
    name: 'source consumer',
    groupId: group,
    topics: [source.name],
    settle: async (records) => {
      if (lookout.isFull()) return { settled: 0, waitMs: settings.maxWaitMs };
      await settleSource(inbox, records);
      return { settled: records.length };
    },
    deliveryOf: (record) => {
      const delivery = toDelivery(record, probeAggregateId);
      return 'problem' in delivery ? undefined : delivery;
    },
  });
  const seen = trackFirstSeen(elapsedMs);
  await startConsumer(inbox, options, {
    name: 'retry consumer',
    groupId: `${group}.retry`,
    topics: groupTopics(group, source, settings.maxAttempts - 1)
      .map((topic) => topic.name)
      .filter((name) => name !== deadLetterTopicName(group)),
    settle: (records) => settleRetry(inbox, records, seen),
    deliveryOf: (record) => {
      const retry = fromRetry(record);
      return 'problem' in retry ? undefined : retry.delivery;
    },
  });
  return inbox;
}

interface ConsumerParts {
  readonly name: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly settle: (records: readonly SourceRecord[]) => Promise<Verdict>;
  readonly deliveryOf: (record: SourceRecord) => Delivery | undefined;
}

// Short sessions and polls: a killed consumer's partitions move on within seconds, a paused one resumes on time.
const timing = { sessionTimeout: 10_000, heartbeatInterval: 3_000, rebalanceTimeout: 15_000, maxWaitTimeInMs: 250 };

async function startConsumer<E extends DecodedEvent>(
  inbox: Inbox<E>,
  { kafka, scope, health, fail }: InboxOptions<E>,
  { name, groupId, topics, settle, deliveryOf }: ConsumerParts,
): Promise<void> {
  const readiness = health.readiness.state(name, 'has not joined its group yet');
  const consumer = kafka.consumer({ groupId, ...timing, metadataMaxAge: inbox.settings.findPartitionsEveryMs });
  const boundary = createBoundary(inbox, { settle: heldByGuard(inbox.guard, settle), deliveryOf });
  const probe = await openLagProbe(kafka, groupId, topics);
  const positions = await guardPositions(inbox, kafka, groupId, probe);
  scope.defer(`positions of ${name}`, () => positions.close());
  const onJoin = boundary.keepOnly;
  const watch = startWatch({ name, consumer, probe, positions, inbox, readiness, onJoin, fail });
  scope.defer(`watch of ${name}`, () => watch.stop());
  const stop = await runPartitionLoop(consumer, {
    topics,
    sliceRecords: inbox.settings.batchRecords,
    settle: boundary.settle,
    settleUndecodable: boundary.settleUndecodable,
    onCommit: positions.seen,
    onPause: watch.paused,
  });
  scope.defer(name, stop);
}

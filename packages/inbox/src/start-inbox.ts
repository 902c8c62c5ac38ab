import { groupTopics, retryGroupOf, type ConsumerDefinition } from '@board/contracts';
import { createElapsedClock, type Health, type Logger, type Scope } from '@board/service';
import type { Kafka } from 'kafkajs';
import type { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { createKeyedMutex } from './inbox.ts';
import { trackSchemaFailures } from './apply/schema-failures.ts';
import { startSweeper } from './apply/drain.ts';
import { repeat, systemClock } from './clock.ts';
import { processRetry } from './consume/process-retry.ts';
import { findRetryTopics } from './consume/lag.ts';
import { processSource, readSource } from './consume/process-source.ts';
import { pauseWhenFull } from './consume/process.ts';
import { startConsumer } from './consume/start-consumer.ts';
import { createCircuitBreaker } from './fail/circuit-breaker.ts';
import { connectPublisher } from './fail/publisher.ts';
import { readRetry } from './fail/record-formats.ts';
import type { Handler } from './handler.ts';
import { createInboxMetrics } from './health/observe.ts';
import { startHealthMonitor } from './health/monitor.ts';
import { countControls, type Inbox } from './inbox.ts';
import { identityKey } from './record.ts';
import { createDecoder } from './schemas/decoder.ts';
import { connectRegistry } from './schemas/schema.ts';
import { createSchemaResolver } from './schemas/resolver.ts';
import { resolveSettings, type InboxSettings } from './settings.ts';
import { createMysqlStore } from './store/mysql-store.ts';

export interface InboxOptions {
  readonly consumer: ConsumerDefinition;
  readonly handler: Handler;
  readonly registryUrl: string;
  readonly kafka: Kafka;
  readonly dataSource: DataSource;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  readonly scope: Scope;
  /** Ends the process: for what only a new process can repair. */
  readonly fail: (error: Error) => void;
  readonly settings?: Partial<InboxSettings>;
}

/** Consumes a source topic and its group's retry topics until the scope closes. */
export async function startInbox(options: InboxOptions): Promise<Inbox> {
  const { consumer, handler, kafka, dataSource, logger, health, scope, fail } = options;
  const { group, source, aggregateType } = consumer;
  const settings = resolveSettings(options.settings);
  // A replay and an event that makes way for the next are sent to a retry topic.
  if (!Number.isInteger(consumer.retryTiers) || consumer.retryTiers < 1)
    throw new Error(`consumer ${group}: retryTiers is ${consumer.retryTiers}, must be an integer from 1`);
  const { alarms } = health;
  const elapsed = createElapsedClock();
  scope.defer('clock', () => elapsed.stop());
  const clock = systemClock(elapsed.now);
  const metrics = createInboxMetrics(options.metrics);
  const store = createMysqlStore({
    dataSource,
    consumer: { group, aggregateType },
    nowMs: clock.now,
    onRerun: metrics.rerun,
  });

  const publisher = await connectPublisher(kafka, settings, largestRecord(consumer));
  scope.defer('route publisher', () => publisher.close());

  const { elapsedMs } = clock;
  const breaker = createCircuitBreaker({ store, settings, alarms, metrics, logger, elapsedMs });
  await breaker.refresh();
  const schemas = createSchemaResolver({
    registry: connectRegistry(options.registryUrl),
    readers: consumer.schemas,
    memory: store.schemas,
    settings,
    alarms,
    logger,
    elapsedMs,
  });
  scope.defer(
    'schema check',
    repeat(clock, settings.schemaCheckEveryMs, () => schemas.check()),
  );
  const inbox: Inbox = {
    store,
    publisher,
    decoder: createDecoder(schemas),
    handler,
    breaker,
    schemaFailures: trackSchemaFailures(settings.schemaPatienceMs, elapsedMs),
    controls: countControls(),
    drains: createKeyedMutex(),
    skippedAhead: new Set((await store.transaction(({ skips }) => skips.findAhead())).map(identityKey)),
    maxAttempts: consumer.retryTiers + 1,
    settings,
    clock,
    random: Math.random,
    logger,
    metrics,
    alarms,
  };

  const monitor = startHealthMonitor(inbox, health.readiness.state('parking', 'not looked at yet'));
  scope.defer('lookout', () => monitor.stop());
  scope.defer('sweeper', startSweeper(inbox));

  const common = { kafka, scope, health, fail };
  await startConsumer(inbox, {
    ...common,
    name: 'source consumer',
    groupId: group,
    topics: [source.name],
    process: pauseWhenFull(monitor.isParkingFull, settings.maxWaitMs, processSource(inbox)),
    readDelivery(record) {
      const reading = readSource(record);
      return reading.kind === 'delivery' ? reading.delivery : undefined;
    },
  });
  await startConsumer(inbox, {
    ...common,
    name: 'retry consumer',
    groupId: retryGroupOf(consumer),
    topics: await findRetryTopics(kafka, consumer),
    process: processRetry(inbox),
    readDelivery(record) {
      const reading = readRetry(record);
      return reading.kind === 'delivery' ? reading.delivery : undefined;
    },
  });
  return inbox;
}

/** What the retry topics and the DLQ take by their definition, in bytes. */
function largestRecord(consumer: ConsumerDefinition): number {
  const [topic] = groupTopics(consumer);
  return Number(topic?.config['max.message.bytes'] ?? 0);
}

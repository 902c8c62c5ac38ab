import {
  consumerFlag as flagOf,
  groupTopics,
  retryGroupOf,
  type ConsumerDefinition,
} from '@board/contracts';
import { assertTopics, connectKafka, kafkaAccess, kafkaFields } from '@board/kafka';
import {
  createDatabase,
  databaseConnection,
  databaseFields,
  ServerSettingsError,
  type Database,
} from '@board/mysql';
import {
  configFields,
  createElapsedClock,
  createHealth,
  createHttpServer,
  createMetrics,
  guardEventLoop,
  runService,
  waitForDependency,
  type Health,
  type Logger,
  type Scope,
  type ServiceRouter,
} from '@board/service';
import type { Kafka } from 'kafkajs';
import type { Registry } from 'prom-client';
import type { DataSource, EntitySchema } from 'typeorm';
import { z } from 'zod';
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
import { countControls, createKeyedMutex, type Inbox } from './inbox.ts';
import { identityKey, type Identity } from './record.ts';
import { createDecoder } from './schemas/decoder.ts';
import { connectRegistry } from './schemas/schema.ts';
import { createSchemaResolver } from './schemas/resolver.ts';
import { resolveSettings, type InboxSettings } from './settings.ts';
import { createMysqlStore } from './store/mysql-store.ts';

/** What one inbox needs of its service. */
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
  const { consumer, handler, kafka, dataSource, health, scope, fail } = options;
  const { group, source, aggregateType } = consumer;
  const logger = options.logger.child({ group });
  const consumerFlag = flagOf(consumer.name);
  const settings = resolveSettings(options.settings);
  // A replay and an event that makes way for the next are sent to a retry topic.
  if (!Number.isInteger(consumer.retryTiers) || consumer.retryTiers < 1)
    throw new Error(
      `consumer ${group}: retryTiers is ${consumer.retryTiers}, must be an integer from 1`,
    );
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
  const schemas = createSchemaResolver({
    registry: connectRegistry(options.registryUrl),
    readers: consumer.schemas,
    consumerFlag,
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
  let ahead: readonly Identity[] = [];
  const { readiness } = health;
  const waiting = {
    logger,
    readiness,
    alarms,
    elapsedMs,
    signal: scope.signal,
    isFatal: isWrongServer,
  };
  // A database that fails in between is waited for: ending the process would only start it again,
  // to the same.
  await waitForDependency(
    { name: 'inbox tables', server: "The inbox's database" },
    waiting,
    async () => {
      await breaker.refresh();
      ahead = await store.transaction(({ skips }) => skips.findAhead());
    },
  );
  const inbox: Inbox = {
    consumerFlag,
    store,
    publisher,
    decoder: createDecoder(schemas),
    handler,
    breaker,
    schemaFailures: trackSchemaFailures(settings.schemaPatienceMs, elapsedMs),
    controls: countControls(),
    drains: createKeyedMutex(),
    skippedAhead: new Set(ahead.map(identityKey)),
    maxAttempts: consumer.retryTiers + 1,
    settings,
    clock,
    random: Math.random,
    logger,
    metrics,
    alarms,
  };

  const monitor = startHealthMonitor(inbox, health.readiness.state('parking', 'not checked yet'));
  scope.defer('health monitor', () => monitor.stop());
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

/** Waiting does not change a server's settings. */
function isWrongServer(error: unknown): boolean {
  return error instanceof ServerSettingsError;
}

/** The environment of a service that consumes; `name` is its default `INSTANCE`. */
export function consumerEnvironment(name: string) {
  return z.object({
    ...configFields.process(name),
    ...databaseFields,
    HTTP_HOST: configFields.host().default('127.0.0.1'),
    HTTP_PORT: configFields.port().default(0),
    SHUTDOWN_DELAY_MS: configFields.shutdownDelayMs(),
    REGISTRY_URL: configFields.httpUrl(),
    ...kafkaFields,
  });
}

/** What makes one consuming service another than the next. */
export interface ConsumerService {
  readonly consumer: ConsumerDefinition;
  readonly handler: Handler;
  /** Tables that handler and routers use by TypeORM's entities. */
  readonly entities: readonly EntitySchema[];
  /** What it answers over HTTP; `reads` is a pool of its own. */
  readonly routers: (reads: Database) => readonly ServiceRouter[];
}

/**
 * Runs a service, named like the consumer's group, that does nothing but consume and answer reads,
 * until a signal ends it.
 */
export async function runConsumerService({
  consumer,
  handler,
  entities,
  routers,
}: ConsumerService): Promise<void> {
  await runService(consumerEnvironment(consumer.group), async ({ config, logger, scope, fail }) => {
    guardEventLoop(scope);
    const clock = createElapsedClock();
    scope.defer('clock', () => clock.stop());
    const health = createHealth();
    const metrics = createMetrics(config.INSTANCE);
    const connection = databaseConnection(config);
    const database = createDatabase({ connection, entities: [...entities] });
    scope.defer('database', () => database.close());
    // A pool of its own: however many read, and however slowly, the inbox has its connections.
    const reads = createDatabase({ connection, entities: [...entities], poolSize: 5 });
    scope.defer('reads', () => reads.close());
    health.readiness.check('database', () => database.read((manager) => manager.query('SELECT 1')));
    const inboxReady = health.readiness.state('inbox', 'not started yet');

    const server = createHttpServer({ logger, metrics, health, routers: [...routers(reads)] });
    await server.listen(scope, config.HTTP_HOST, config.HTTP_PORT, config.SHUTDOWN_DELAY_MS);

    // Listening comes first: until the database and the brokers answer, /readyz says what is
    // missing.
    const waiting = {
      logger,
      readiness: health.readiness,
      alarms: health.alarms,
      elapsedMs: clock.now,
      signal: scope.signal,
      isFatal: isWrongServer,
    };
    const mysql = `MySQL at ${connection.host}:${connection.port}`;
    await waitForDependency({ name: 'database server', server: mysql }, waiting, async () => {
      await database.open();
      await reads.open();
    });
    const access = kafkaAccess(config);
    const kafka = connectKafka(access, config.INSTANCE, logger);
    const topics = [consumer.source, ...groupTopics(consumer)].map((topic) => topic.name);
    const brokers = { name: 'kafka', server: `Kafka at ${access.brokers.join(', ')}` };
    await waitForDependency(brokers, waiting, () => assertTopics(kafka, topics));

    const { REGISTRY_URL: registryUrl } = config;
    const { dataSource } = database;
    await startInbox({
      consumer,
      handler,
      registryUrl,
      dataSource,
      kafka,
      logger,
      metrics,
      health,
      scope,
      fail,
    });
    inboxReady.ready();
    logger.info({ event: 'service.ready' });
  });
}

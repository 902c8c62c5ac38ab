import { catalogConsumer, groupTopics } from '@board/contracts';
import { createDatabase, databaseConnection, ServerSettingsError } from '@board/mysql';
import { startInbox } from '@board/inbox';
import { assertTopics, connectKafka, kafkaAccess } from '@board/kafka';
import {
  createElapsedClock,
  createHealth,
  createHttpServer,
  createMetrics,
  guardEventLoop,
  runService,
  waitForDependency,
} from '@board/service';
import { boardHandler } from './application/board-handler.ts';
import { serviceSchema } from './config.ts';
import { createCatalogReader } from './database/catalog-reader.ts';
import { catalogTable } from './database/catalog-table.ts';
import { catalogWriter } from './database/catalog-writer.ts';
import { catalogRouter } from './http/catalog-router.ts';

await runService(serviceSchema, async ({ config, logger, scope, fail }) => {
  guardEventLoop(scope);
  const clock = createElapsedClock();
  scope.defer('clock', () => clock.stop());
  const health = createHealth();
  const metrics = createMetrics(config.INSTANCE);
  const connection = databaseConnection(config);
  const database = createDatabase({ connection, entities: [catalogTable] });
  scope.defer('database', () => database.close());
  // A pool of its own: however many read, and however slowly, the inbox has its connections.
  const reads = createDatabase({ connection, entities: [catalogTable], poolSize: 5 });
  scope.defer('reads', () => reads.close());
  health.readiness.check('database', () => database.read((manager) => manager.query('SELECT 1')));

  const inboxReady = health.readiness.state('inbox', 'not started yet');

  const server = createHttpServer({ logger, metrics, health, routers: [catalogRouter(createCatalogReader(reads))] });
  await server.listen(scope, config.HTTP_HOST, config.HTTP_PORT, config.DRAIN_MS);

  // Listening comes first: until the database and the brokers answer, /readyz says what is missing.
  const waiting = {
    logger,
    readiness: health.readiness,
    alarms: health.alarms,
    elapsedMs: clock.now,
    signal: scope.signal,
    isFatal: (error: unknown) => error instanceof ServerSettingsError,
  };
  const mysql = `MySQL at ${connection.host}:${connection.port}`;
  await waitForDependency({ name: 'database server', server: mysql }, waiting, async () => {
    await database.open();
    await reads.open();
  });
  const access = kafkaAccess(config);
  const kafka = connectKafka(access, config.INSTANCE, logger);
  const topics = [catalogConsumer.source, ...groupTopics(catalogConsumer)].map((topic) => topic.name);
  const brokers = { name: 'kafka', server: `Kafka at ${access.brokers.join(', ')}` };
  await waitForDependency(brokers, waiting, () => assertTopics(kafka, topics));

  await startInbox({
    consumer: catalogConsumer,
    handler: boardHandler(catalogWriter),
    registryUrl: config.REGISTRY_URL,
    dataSource: database.dataSource,
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

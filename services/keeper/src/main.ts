import { createHash } from 'node:crypto';
import {
  connectApi,
  connectorTopics,
  countRecords,
  eventTopic,
  openSchemaHistory,
  relayMemory,
  type RunSql,
} from '@board/relay';
import { consumers } from '@board/contracts';
import {
  databaseConnection,
  leadWhileLocked,
  openSession,
  type LockState,
  type Session,
} from '@board/mysql';
import { findUnreceived, trimRetries } from '@board/inbox';
import type { OutboxPurge, PurgeSession } from '@board/outbox';
import { connectKafka, kafkaAccess, openAdmin, openCompactedTopic } from '@board/kafka';
import {
  createElapsedClock,
  createHealth,
  createHttpServer,
  createMetrics,
  createOutageAlarm,
  guardEventLoop,
  reasonOf,
  runService,
} from '@board/service';
import { guardColumns } from './application/guard-columns.ts';
import { healConnector } from './application/heal-connector.ts';
import { createKeeperMetrics } from './application/keeper-metrics.ts';
import { purgeTables, trimTopics } from './application/purge-and-trim.ts';
import { runJobs } from './application/run-jobs.ts';
import { watchRelay } from './application/watch-relay.ts';
import { serviceSchema } from './config.ts';

/** Each reading of a topic has a consumer group of its own, which is deleted afterwards. */
const readerPrefix = 'keeper.reader.';

/** Raised while MySQL cannot be asked for the lock, so no job runs; jobs raise all other alarms. */
const lockAlarm = 'leader lock';

await runService(serviceSchema, async ({ config, logger, scope }) => {
  guardEventLoop(scope);
  const clock = createElapsedClock();
  scope.defer('clock', () => clock.stop());
  const health = createHealth();
  const { alarms } = health;
  const registry = createMetrics(config.INSTANCE);
  const metrics = createKeeperMetrics(registry);
  const server = createHttpServer({ logger, metrics: registry, health, routers: [] });
  await server.listen(scope, config.HTTP_HOST, config.HTTP_PORT);

  const connection = databaseConnection(config);
  const connector = config.CONNECTOR;
  const connect = connectApi(config.CONNECT_URL, { timeoutMs: 5_000, rebalanceMs: 5_000 });
  const kafka = connectKafka(kafkaAccess(config), config.INSTANCE, logger);
  const memory = relayMemory(openCompactedTopic(kafka, config.MEMORY_TOPIC), connector);
  scope.defer('memory', () => memory.close());

  const withSession = async <Result>(
    work: (session: Session) => Promise<Result>,
  ): Promise<Result> => {
    const session = await openSession(connection);
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  };

  /** Asks the consumers for events whose rows are to be deleted. */
  function askConsumers({ query }: PurgeSession): OutboxPurge['findUnreceived'] {
    return async (rows) => {
      const definition = await connect.getConfig(connector);
      if (definition === undefined) throw new Error(`the connector ${connector} is not registered`);
      const asked = config.CONSUMER_DATABASE.map((consumer) => ({
        ...consumer,
        source: { ...consumer.source, name: eventTopic(definition, consumer.aggregateType) },
      }));
      return findUnreceived({ kafka, consumers: asked, query, readerPrefix }, rows);
    };
  }

  async function countShipped(): Promise<bigint | undefined> {
    const definition = await connect.getConfig(connector);
    if (definition === undefined) return undefined;
    const admin = await openAdmin(kafkaAccess(config));
    try {
      return await countRecords(admin, connectorTopics(definition).events);
    } finally {
      await admin.disconnect();
    }
  }

  async function keep(signal: AbortSignal): Promise<void> {
    const withSql = <Result>(work: (sql: RunSql) => Promise<Result>): Promise<Result> =>
      withSession((session) => work(session.query));
    const relay = { connect, connector, memory, alarms, logger, metrics };
    const watch = watchRelay({
      ...relay,
      withSql,
      countShipped,
      everyMs: config.OBSERVE_EVERY_MS,
      now: () => new Date(),
      elapsedMs: clock.now,
    });
    await runJobs(
      [
        healConnector({ ...relay, everyMs: config.OBSERVE_EVERY_MS, now: clock.now }),
        watch,
        guardColumns({
          ...relay,
          openHistory: (topic, tableId) =>
            openSchemaHistory(kafka, { topic, tableId, readerPrefix }),
          withSql,
          hold: watch.hold,
          isHeld: watch.isHeld,
          everyMs: config.COLUMNS_EVERY_MS,
          elapsedMs: clock.now,
        }),
        purgeTables({
          ...relay,
          firstObservation: watch.firstObservation,
          withSession,
          findUnreceived: askConsumers,
          retentionMs: config.OUTBOX_RETENTION_HOURS * 3_600_000,
          everyMs: config.PURGE_EVERY_MS,
          now: () => new Date(),
        }),
        trimTopics({
          trim: () => trimAll(kafka),
          everyMs: config.TRIM_EVERY_MS,
          logger,
          metrics,
        }),
      ],
      signal,
      { alarms, logger, metrics, now: clock.now },
    );
    // Only the leading keeper knows them; the next one raises them again.
    for (const key of alarms.active().keys()) if (key !== lockAlarm) alarms.clear(key);
  }

  const outage = createOutageAlarm({
    alarms,
    key: lockAlarm,
    what: `cannot ask MySQL at ${connection.host}:${connection.port} for the leader lock`,
    elapsedMs: clock.now,
  });
  scope.defer('alarm of the lock', () => outage.stop());
  const ready = health.readiness.state('lock', 'not asked yet');
  function reportLock(state: LockState): void {
    metrics.leading(state.kind === 'leading');
    if (state.kind === 'failed') {
      logger.warn({ event: 'keeper.stood-down', err: state.error });
      outage.failed(state.error);
      ready.notReady(reasonOf(state.error));
    } else {
      logger.info({ event: `keeper.${state.kind}` });
      ready.ready();
    }
  }

  // One keeper is active at a time; what it does is harmless when a second one does it too.
  const leading = leadWhileLocked({
    connection,
    // MySQL knows locks on the whole server, and two pipelines may share one.
    lock: `keeper/${createHash('sha256').update(`${connection.name} ${connector}`).digest('hex').slice(0, 32)}`,
    signal: scope.signal,
    lead: keep,
    onChange: reportLock,
    onAnswer: () => outage.answered(),
  });
  scope.defer('leadership', () => leading);
});

/** Trims the retry topics of every consumer; returns the number of deleted records. */
async function trimAll(kafka: ReturnType<typeof connectKafka>): Promise<number> {
  let records = 0;
  for (const consumer of consumers) records += await trimRetries(kafka, consumer);
  return records;
}

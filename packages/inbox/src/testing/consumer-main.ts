import { connectionOptions } from '@board/database-kit';
import { connectKafka } from '@board/kafka-kit';
import { createHealth, createLogger, createMetrics, createScope } from '@board/service-kit';
import { DataSource } from 'typeorm';
import { startInbox } from '../start-inbox.ts';
import type { ConsumerProcessOptions } from './consumer-process.ts';
import { testTopic, thingSchema, type ThingChanged } from './thing-codec.ts';
import { thingLogHandler } from './thing-log.ts';

// A consumer as a process of its own, so that a test can kill it; FAILPOINTS says where.
const { brokers, registryUrl, connection, topic, group, failFirst, settings } = JSON.parse(
  process.env['CONSUMER'] ?? '{}',
) as ConsumerProcessOptions;
const logger = createLogger({ name: group, level: process.env['LAB_LOG'] ?? 'silent' });
const dataSource = await new DataSource(connectionOptions(connection)).initialize();

await startInbox<ThingChanged>({
  group,
  source: testTopic(topic),
  aggregateType: 'thing',
  handler: thingLogHandler({
    batch: true,
    sabotage: ({ aggregateId, version, attempt }) => {
      if (attempt === 1 && aggregateId === failFirst.aggregateId && version === failFirst.version)
        throw new Error('planted');
    },
  }),
  readers: [{ eventType: 'ThingChanged', subject: topic, schema: thingSchema }],
  registryUrl,
  kafka: connectKafka({ brokers }, group, logger),
  dataSource,
  logger,
  metrics: createMetrics(group),
  health: createHealth(),
  scope: createScope(),
  fail: (error) => {
    throw error;
  },
  settings,
});

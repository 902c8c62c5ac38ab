import { createDataSource } from '@board/mysql';
import { connectKafka } from '@board/kafka';
import {
  createHealth,
  createLogger,
  createMetrics,
  createScope,
  guardEventLoop,
} from '@board/service';
import { setFailpoint } from '@board/service/testing';
import { setTimeout as wait } from 'node:timers/promises';
import { startInbox } from '../../src/start-inbox.ts';
import type { ConsumerProcessOptions } from './consumer-process.ts';
import { testConsumer } from './inbox-lab.ts';
import { thingLogHandler } from './thing-log.ts';

// A test's own entry: a consumer as a process of its own that can be killed, at a failpoint too.
const {
  brokers,
  registryUrl,
  connection,
  topic,
  group,
  failFirst,
  killAt,
  slow,
  maxBlockedMs,
  settings,
} = JSON.parse(process.env['CONSUMER'] ?? '{}') as ConsumerProcessOptions;
if (killAt !== undefined) setFailpoint(killAt, () => process.kill(process.pid, 'SIGKILL'));
const logger = createLogger({ name: group, level: process.env['LAB_LOG'] ?? 'silent' });
const scope = createScope();
guardEventLoop(scope, maxBlockedMs);
process.on('SIGUSR2', () => {
  // As if the machine's clock had been set back.
  const { now } = Date;
  Date.now = () => now() - 3_600_000;
});
const dataSource = await createDataSource(connection).initialize();

await startInbox({
  consumer: testConsumer(group, topic),
  handler: thingLogHandler({
    batch: true,
    sabotage: async ({ aggregateId, version, attempt }) => {
      if (aggregateId === slow?.aggregateId) await wait(slow.forMs);
      if (attempt === 1 && aggregateId === failFirst.aggregateId && version === failFirst.version)
        throw new Error('planted');
    },
  }),
  registryUrl,
  kafka: connectKafka({ brokers }, group, logger),
  dataSource,
  logger,
  metrics: createMetrics(group),
  health: createHealth(),
  scope,
  fail: (error) => {
    throw error;
  },
  settings,
});

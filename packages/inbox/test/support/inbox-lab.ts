import { deadLetterTopicName, groupTopics, type ConsumerDefinition } from '@board/contracts';
import { createDataSource, type RowDataPacket } from '@board/mysql';
import { connectKafka } from '@board/kafka';
import {
  createHealth,
  createLogger,
  createMetrics,
  createScope,
  type Health,
  type Scope,
} from '@board/service';
import {
  createTestSchema,
  uniqueName,
  waitUntil,
  type StackAddresses,
  type TestSchema,
} from '@board/test';
import type { Kafka } from 'kafkajs';
import type { DataSource } from 'typeorm';
import type { Handler } from '../../src/handler.ts';
import type { Inbox } from '../../src/inbox.ts';
import type { Operator } from '../../src/operator/operator.ts';
import type { InboxSettings } from '../../src/settings.ts';
import { startInbox } from '../../src/start-inbox.ts';
import { inboxMigrations } from '../../src/store/migrations.ts';
import { lagOf } from './lag.ts';
import {
  registerSchema,
  testTopic,
  thingRecord,
  thingSchema,
  type ThingChanged,
  type ThingOptions,
  type ThingRecord,
} from './thing-codec.ts';
import { thingLogTable } from './thing-log.ts';

export interface RunningInbox {
  readonly inbox: Inbox;
  /** Of the same consumer, on the inbox's own connections. */
  readonly operator: Operator;
  readonly health: Health;
  /** Set once the inbox asked for the process to end. */
  failure(): Error | undefined;
  stop(): Promise<void>;
}

/**
 * A schema, a topic and a consumer group of one test or one file, on the real servers; `close`
 * leaves nothing behind.
 */
export interface InboxLab {
  readonly stack: StackAddresses;
  readonly schema: TestSchema;
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly consumer: ConsumerDefinition;
  readonly schemaId: number;
  thing(id: string, version: number, options?: ThingOptions): ThingRecord;
  produce(records: readonly ThingRecord[], topic?: string): Promise<void>;
  start(
    handler: Handler<ThingChanged>,
    options?: {
      settings?: Partial<InboxSettings>;
      dataSource?: DataSource;
      brokers?: readonly string[];
      kafka?: Kafka;
      registryUrl?: string;
      /** `thing` unless the test makes up its own. */
      aggregateType?: string;
      /** Three unless the test says otherwise. */
      retryTiers?: number;
    },
  ): Promise<RunningInbox>;
  /** Rows of a query as root. */
  rows<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  openDataSource(changes?: {
    host?: string;
    port?: number;
    poolSize?: number;
  }): Promise<DataSource>;
  /** Resolves when the group's committed offsets have reached the end of the source topic. */
  caughtUp(timeoutMs?: number): Promise<void>;
  /** By partition of the DLQ: where the dead letters since the last reset begin. */
  deadLettersFrom(): ReadonlyMap<number, bigint>;
  /**
   * For the next test: stops every inbox, closes what was opened since, and takes all rows and all
   * unread records away. Ids may be used again; offsets go on where they were, so what depends on
   * the beginning of a topic or a group needs a lab of its own.
   */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const silent = process.env['LAB_LOG'] ?? 'silent';

export async function openInboxLab(stack: StackAddresses): Promise<InboxLab> {
  const scope: Scope = createScope();
  /** What was opened since the last reset. */
  let opened: Scope = createScope();
  const schema = await createTestSchema(stack);
  scope.defer('schema', () => schema.drop());
  await schema.root.query(thingLogTable);
  const topic = uniqueName('thing');
  const group = uniqueName('group');
  const deadLetterTopic = deadLetterTopicName(group);
  let deadLettersFrom: ReadonlyMap<number, bigint> = new Map();
  const logger = createLogger({ name: group, level: silent });
  const kafka = connectKafka(stack, group, logger);
  const admin = kafka.admin();
  await admin.connect();
  scope.defer('admin', () => admin.disconnect());
  const consumer = testConsumer(group, topic);
  const topics = [consumer.source, ...groupTopics(consumer)];
  const createTopics = async (): Promise<void> => {
    await admin.createTopics({
      topics: topics.map(({ name, partitions, replicationFactor, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
      })),
      waitForLeaders: false,
    });
    // kafkajs's own wait fails when the broker that it asks has not heard of the topic yet.
    await waitUntil('leaders of the new topics', () =>
      Promise.all(topics.map(({ name }) => admin.fetchTopicOffsets(name))),
    );
    scope.defer('topics', () => admin.deleteTopics({ topics: topics.map(({ name }) => name) }));
  };
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  scope.defer('producer', () => producer.disconnect());
  const schemaId = await registerSchema(stack.registryUrl, topic, thingSchema);

  async function openDataSource({
    poolSize = 10,
    ...address
  }: { host?: string; port?: number; poolSize?: number } = {}): Promise<DataSource> {
    const connection = { ...schema.connection, ...address };
    const dataSource = createDataSource(connection, { migrations: inboxMigrations, poolSize });
    await dataSource.initialize();
    opened.defer('data source', () => dataSource.isInitialized && dataSource.destroy());
    return dataSource;
  }
  await Promise.all([
    createTopics(),
    openDataSource().then((dataSource) => dataSource.runMigrations({ transaction: 'none' })),
  ]);

  async function deleteRows(): Promise<void> {
    const { root } = schema;
    const [tables] = await root.query<RowDataPacket[]>('SHOW TABLES');
    const names = tables
      .flatMap((row): string[] => Object.values(row))
      .filter((name) => name !== 'migrations');
    await root.beginTransaction();
    for (const name of names) await root.query('DELETE FROM ??', [name]);
    await root.commit();
  }

  /**
   * What a group has not read would be the next test's. Only then: the brokers take half a second
   * to delete records.
   */
  async function deleteUnread(groupId: string, names: readonly string[]): Promise<void> {
    if ((await lagOf(admin, groupId, names)) === 0n) return;
    const { groups } = await admin.describeGroups([groupId]);
    if (groups.some(({ state }) => state !== 'Dead')) await admin.deleteGroups([groupId]);
    await Promise.all(names.map(deleteRecords));
  }

  async function deleteRecords(name: string): Promise<void> {
    const offsets = await admin.fetchTopicOffsets(name);
    const filled = offsets
      .filter(({ low, high }) => low !== high)
      .map(({ partition }) => partition);
    if (filled.length === 0) return;
    const partitions = filled.map((partition) => ({ partition, offset: '-1' }));
    await admin.deleteTopicRecords({ topic: name, partitions });
  }

  async function passDeadLetters(): Promise<void> {
    const ends = await admin.fetchTopicOffsets(deadLetterTopic);
    deadLettersFrom = new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
  }

  return {
    stack,
    schema,
    kafka,
    topic,
    group,
    consumer,
    schemaId,
    openDataSource,
    thing: (id, version, options) => thingRecord(schemaId, id, version, options),
    async produce(records, to = topic) {
      for (let from = 0; from < records.length; from += 1_000)
        await producer.send({ topic: to, acks: -1, messages: records.slice(from, from + 1_000) });
    },
    async start(
      handler,
      {
        settings = {},
        dataSource,
        brokers,
        kafka: own,
        registryUrl,
        aggregateType = 'thing',
        retryTiers = 3,
      } = {},
    ) {
      const inboxScope = createScope();
      const health = createHealth();
      const ownDataSource = dataSource ?? (await openDataSource());
      let failure: Error | undefined;
      const inbox = await startInbox({
        consumer: { ...consumer, aggregateType, retryTiers },
        handler,
        registryUrl: registryUrl ?? stack.registryUrl,
        kafka: own ?? (brokers ? connectKafka({ brokers }, group, logger) : kafka),
        dataSource: ownDataSource,
        logger,
        metrics: createMetrics(group),
        health,
        scope: inboxScope,
        fail: (error) => (failure = error),
        settings: { retryBaseMs: 100, sweepEveryMs: 200, unknownSchemaMs: 300, ...settings },
      });
      const stop = (): Promise<void> => inboxScope.close();
      opened.defer('inbox', stop);
      const operator = {
        consumer: inbox.store.consumer,
        dataSource: ownDataSource,
        kafka,
        now: Date.now,
      };
      return { inbox, operator, health, failure: () => failure, stop };
    },
    async rows<Row>(sql: string, values: unknown[] = []) {
      const [rows] = await schema.root.query<RowDataPacket[]>(sql, values);
      return rows as unknown as Row[];
    },
    caughtUp: async (timeoutMs = 30_000) => {
      await waitUntil(
        `group ${group} at the end of ${topic}`,
        async () => (await lagOf(admin, group, [topic])) === 0n,
        { timeoutMs },
      );
    },
    deadLettersFrom: () => deadLettersFrom,
    async reset() {
      await opened.close();
      opened = createScope();
      const retryTopics = topics
        .map(({ name }) => name)
        .filter((name) => name !== topic && name !== deadLetterTopic);
      await Promise.all([
        deleteRows(),
        deleteUnread(group, [topic]),
        deleteUnread(`${group}.retry`, retryTopics),
        passDeadLetters(),
      ]);
    },
    async close() {
      try {
        await opened.close();
      } finally {
        await scope.close();
      }
    },
  };
}

/** A consumer of a test's own topic, which knows two types of event of the same shape. */
export function testConsumer(group: string, topic: string): ConsumerDefinition {
  const schemas = ['ThingChanged', 'ThingRenamed'].map((eventType) => ({
    eventType,
    subject: topic,
    schema: thingSchema,
  }));
  const ofThings = { source: testTopic(topic), aggregateType: 'thing', retryTiers: 3, schemas };
  return { ...ofThings, name: group, group, database: 'unused', tables: [] };
}

/** Every record of the group's DLQ since the last reset. */
export async function readDeadLetters(
  lab: InboxLab,
): Promise<{ key: Buffer | null; value: Buffer | null; headers: Record<string, string> }[]> {
  const name = deadLetterTopicName(lab.group);
  const admin = lab.kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(name);
  await admin.disconnect();
  const from = (partition: number): bigint => lab.deadLettersFrom().get(partition) ?? 0n;
  const wanted = ends.reduce((sum, { partition, high, low }) => {
    const first = bigMax(BigInt(low), from(partition));
    return sum + Number(bigMax(BigInt(high) - first, 0n));
  }, 0);
  const deadLetters: {
    key: Buffer | null;
    value: Buffer | null;
    headers: Record<string, string>;
  }[] = [];
  if (wanted === 0) return deadLetters;
  const consumer = lab.kafka.consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 100 });
  const done = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topics: [name], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message: { offset, key, value, headers = {} } }) => {
      if (BigInt(offset) < from(partition)) return Promise.resolve();
      deadLetters.push({
        key,
        value,
        headers: Object.fromEntries(
          Object.entries(headers).map(([header, text]) => [header, String(text)]),
        ),
      });
      if (deadLetters.length >= wanted) done.resolve();
      return Promise.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return deadLetters;
}

function bigMax(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import {
  boardTopic,
  catalogConsumer,
  deadLetterTopicName,
  keeperMemoryTopic,
  retryTopicName,
  topics,
} from '@board/contracts';
import { connectKafka, type KafkaAccess, openAdmin, readRanges } from '@board/kafka';
import { createIdempotencyTable, createOutboxTable } from '@board/outbox';
import { connectApi, type ConnectorDefinition } from '@board/relay';
import {
  compileCache,
  createTestSchema,
  databaseEnvironment,
  postBoard,
  type TestSchema,
  waitUntil,
} from '@board/test';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createTopics } from '../../provision/topics.ts';
import { pickFreePort } from '../../stack/instance/ports.ts';
import { properties } from '../../stack/servers/settings.ts';
import { grantRules } from './kafka-user.ts';
import { readManifests } from './read-manifests.ts';
import type { Resource } from './resource.ts';
import { type SecuredKafka, startSecuredKafka } from './secured-kafka.ts';
import { environmentOf } from './workload.ts';

// The manifests' own words on one real broker that asks for TLS, a login and a rule for everything:
// the users' rights, the worker's and the connector's settings, the Deployment's variables. What
// the operator adds is written here.
const stack = inject('stack');
const checkout = resolve(import.meta.dirname, '../..');
const resources = readManifests('base');
const users = resources.filter(({ kind }) => kind === 'KafkaUser');
const texts = z.record(z.string(), z.unknown());

let kafka: SecuredKafka;

function specOf(kind: string, name: string): Record<string, unknown> {
  return texts.parse(find(kind, name)['spec']);
}

function find(kind: string, name: string): Resource {
  const found = resources.find(
    (resource) => resource.kind === kind && resource.metadata.name === name,
  );
  if (found === undefined) throw new Error(`no ${kind} is called ${name}`);
  return found;
}

beforeAll(async () => {
  kafka = await startSecuredKafka(users.map(({ metadata }) => metadata.name));
  // One broker cannot keep three copies.
  await createTopics(
    kafka.open.brokers,
    topics.map((topic) => ({
      ...topic,
      replicationFactor: 1,
      config: { ...topic.config, 'min.insync.replicas': '1' },
    })),
  );
  const admin = await openAdmin(kafka.open);
  for (const user of users) await grantRules(admin, user);
  await admin.disconnect();
}, 240_000);

afterAll(async () => {
  await kafka.close();
});

async function openSchema(): Promise<TestSchema> {
  const schema = await createTestSchema(stack);
  onTestFinished(() => schema.drop());
  return schema;
}

/** How the operator lets the worker and the clients of its connectors in. */
function loginOfConnect(): Record<string, string> {
  const login = {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': jaasOfConnect(),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': kafka.caFile,
  };
  const clients = ['', 'producer.', 'consumer.', 'admin.'];
  return Object.fromEntries(
    clients.flatMap((client) =>
      Object.entries(login).map(([key, value]) => [`${client}${key}`, value]),
    ),
  );
}

function jaasOfConnect(): string {
  const module = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return `${module} required username="connect" password="${kafka.passwords['connect']}";`;
}

async function startConnect(): Promise<string> {
  const port = await pickFreePort();
  const spec = specOf('KafkaConnect', 'connect');
  const oneCopy = ['config', 'offset', 'status'].map((topic) => [
    `${topic}.storage.replication.factor`,
    '1',
  ]);
  const settings = {
    'bootstrap.servers': kafka.access('connect').brokers.join(','),
    'group.id': spec['groupId'],
    'config.storage.topic': spec['configStorageTopic'],
    'offset.storage.topic': spec['offsetStorageTopic'],
    'status.storage.topic': spec['statusStorageTopic'],
    listeners: `HTTP://127.0.0.1:${port}`,
    'plugin.path': kafka.jars.plugins,
    'plugin.discovery': 'service_load',
    ...texts.parse(spec['config']),
    ...loginOfConnect(),
    ...Object.fromEntries(oneCopy),
  };
  const file = join(kafka.folder, 'connect.properties');
  writeFileSync(
    file,
    properties(
      Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])),
    ),
  );
  kafka.start(
    'connect',
    (jars) => [
      '-cp',
      jars.connect.join(':'),
      'org.apache.kafka.connect.cli.ConnectDistributed',
      file,
    ],
    {
      CDC_MYSQL_HOST: stack.mysql.host,
      CDC_MYSQL_PORT: String(stack.mysql.port),
      CDC_MYSQL_USER: 'cdc',
      CDC_MYSQL_PASSWORD: stack.passwords.cdc,
      CDC_KAFKA_BROKERS: kafka.access('connect').brokers.join(','),
      CDC_KAFKA_JAAS: jaasOfConnect(),
      CDC_KAFKA_CA: kafka.ca,
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await waitUntil('Connect', async () => (await fetch(`${url}/health`)).ok, {
    timeoutMs: 120_000,
    everyMs: 500,
  });
  return url;
}

/** The manifest's connector, reading the outbox of this test. */
function connectorFor(schema: string): ConnectorDefinition {
  const {
    class: connectorClass,
    tasksMax,
    config,
  } = z
    .looseObject({
      class: z.string(),
      tasksMax: z.number(),
      config: z.object({ 'topic.prefix': z.string() }).catchall(z.string()),
    })
    .parse(specOf('KafkaConnector', 'board-outbox'));
  return {
    ...config,
    name: 'board-outbox',
    'connector.class': connectorClass,
    'tasks.max': String(tasksMax),
    'database.server.id': String(200_000 + Math.floor(Math.random() * 1_000_000)),
    'database.include.list': schema,
    'table.include.list': `${schema}.outbox`,
  };
}

/** A service as its Deployment starts it, with the servers of this test. */
async function startService(
  name: 'catalog-service' | 'keeper',
  schema: TestSchema,
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const port = await pickFreePort();
  const env = {
    ...compileCache,
    ...environmentOf(find('Deployment', name), kafka.passwords[name]),
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(port),
    ...databaseEnvironment(schema.connection),
    KAFKA_BROKERS: kafka.access(name).brokers.join(','),
    KAFKA_CA_FILE: kafka.caFile,
    LOG_LEVEL: process.env['LAB_LOG'] ?? 'silent',
    KAFKAJS_NO_PARTITIONER_WARNING: '1',
    ...more,
  };
  const main = join(checkout, 'services', name, 'src/main.ts');
  const service = spawn(process.execPath, [main], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  onTestFinished(async () => {
    service.kill('SIGTERM');
    if (service.exitCode === null) await once(service, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntil(name, async () => (await fetch(`${url}/readyz`)).ok, { timeoutMs: 60_000 });
  return url;
}

async function openCatalogSchema(): Promise<TestSchema> {
  const schema = await openSchema();
  const migrate = join(checkout, 'services/catalog-service/src/migrate.ts');
  await promisify(execFile)(process.execPath, [migrate], {
    env: databaseEnvironment(schema.connection),
  });
  return schema;
}

it('carries a board from an outbox to the catalog with the rights and settings of the manifests, and bad records to the DLQ', async () => {
  const outbox = await openSchema();
  await outbox.root.query(createOutboxTable(['board']));
  const connectUrl = await startConnect();
  const connect = connectApi(connectUrl);
  await connect.putConfig(connectorFor(outbox.name));
  const catalog = await openCatalogSchema();
  const catalogUrl = await startService('catalog-service', catalog, {
    REGISTRY_URL: stack.registryUrl,
  });

  const carry = async (title: string): Promise<void> => {
    // A real event: encoded, registered and stored by order-service.
    const board = await postBoard(stack, { title, content: 'with a key of one’s own' });
    await outbox.root.query(
      'INSERT INTO outbox SELECT * FROM order_service.outbox WHERE aggregateid = ?',
      [board.id],
    );
    const answer = await waitUntil(
      'the board in the catalog',
      async () => {
        const response = await fetch(`${catalogUrl}/catalog/${board.id}`);
        return response.ok && texts.parse(await response.json());
      },
      { timeoutMs: 90_000 },
    );
    expect(answer).toMatchObject({ id: board.id, title, version: 1 });
  };
  await carry('with access rules');

  // A task that starts again reads the schema history, with clients of its own.
  await connect.stop('board-outbox');
  await waitUntil(
    'the task gone',
    async () => (await connect.getStatus('board-outbox'))?.tasks.length === 0,
  );
  await connect.resume('board-outbox');
  await carry('with access rules, again');

  const sendBad = async (access: KafkaAccess, topic: string): Promise<void> => {
    const producer = connectKafka(access, 'test').producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'no headers' }] });
    await producer.disconnect();
  };
  await sendBad(kafka.access('connect'), boardTopic.name);
  await sendBad(kafka.open, retryTopicName(catalogConsumer.group, 1));
  const admin = await openAdmin(kafka.open);
  onTestFinished(() => admin.disconnect());
  const deadLettersOf = async (): Promise<number> =>
    (await admin.fetchTopicOffsets(deadLetterTopicName(catalogConsumer.group))).reduce(
      (sum, { high }) => sum + Number(high),
      0,
    );
  await waitUntil('the dead letters', async () => (await deadLettersOf()) === 2);

  await outbox.root.query(createIdempotencyTable);
  const often = {
    OBSERVE_EVERY_MS: '500',
    COLUMNS_EVERY_MS: '500',
    PURGE_EVERY_MS: '500',
    TRIM_EVERY_MS: '500',
  };
  const keeperUrl = await startService('keeper', outbox, {
    CONNECT_URL: connectUrl,
    CONSUMER_DATABASE: `catalog=${catalog.name}`,
    ...often,
  });
  await waitUntil('the memory of the keeper', async () => {
    const [memory] = await admin.fetchTopicOffsets(keeperMemoryTopic.name);
    return Number(memory?.high) > 0;
  });
  await waitUntil('every job done, a record of a retry topic trimmed', async () => {
    const text = await (await fetch(`${keeperUrl}/metrics`)).text();
    const done = text.match(/^keeper_job_last_success_timestamp_seconds\{.*\} [1-9]/gm) ?? [];
    return done.length === 5 && /^keeper_retry_records_trimmed_total\{.*\} 1$/m.test(text);
  });
  expect((await fetch(`${keeperUrl}/alarms`)).status).toBe(200);

  // What it does only for rows that the consumer does not have.
  const unread = (await admin.fetchTopicOffsets(boardTopic.name))
    .filter(({ high }) => high !== '0')
    .map(({ partition, high }) => ({
      topic: boardTopic.name,
      partition,
      from: 0n,
      end: BigInt(high),
    }));
  let read = 0;
  await readRanges(
    connectKafka(kafka.access('keeper'), 'test'),
    'keeper.reader.test',
    unread,
    () => {
      read += 1;
      return 'more';
    },
  );
  expect(read).toBe(3);
});

it('refuses what no KafkaUser is allowed, and a user without a KafkaUser', async () => {
  const produce = async (user: string, topic: string): Promise<unknown> => {
    const producer = connectKafka(kafka.access(user), 'test').producer({
      allowAutoTopicCreation: false,
      retry: { retries: 0 },
    });
    await producer.connect();
    try {
      return await producer.send({ topic, messages: [{ value: 'forged' }] });
    } finally {
      await producer.disconnect();
    }
  };
  await expect(produce('catalog-service', boardTopic.name)).rejects.toThrow(/not authorized/i);
  await expect(produce('connect', deadLetterTopicName(catalogConsumer.group))).rejects.toThrow(
    /not authorized|not host/i,
  );
  await expect(produce('autoscaler', boardTopic.name)).rejects.toThrow(/not authorized/i);

  const scaler = await openAdmin(kafka.access('autoscaler'));
  onTestFinished(() => scaler.disconnect());
  expect(await scaler.fetchTopicOffsets(boardTopic.name)).toHaveLength(boardTopic.partitions);
  expect(
    await scaler.fetchOffsets({ groupId: catalogConsumer.group, topics: [boardTopic.name] }),
  ).toHaveLength(1);

  const { brokers, ca } = kafka.access('connect');
  const stranger = { brokers, ca: ca ?? '', login: { user: 'connect', password: 'guessed' } };
  await expect(openAdmin(stranger)).rejects.toThrow('no Kafka broker answers');
});

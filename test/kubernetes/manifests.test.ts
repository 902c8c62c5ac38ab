import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { aggregates, consumers, topics } from '@board/contracts';
import { consumerEnvironment } from '@board/inbox';
import { createHealth, readConfig } from '@board/service';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { serviceSchema as keeperSchema } from '../../services/keeper/src/config.ts';
import { serviceSchema as orderSchema } from '../../services/order-service/src/config.ts';
import { provisionEnvironment } from '../../provision/config.ts';
import { readCompose } from '../containers/read-compose.ts';
import { folders, listFiles, manifestFolder, readManifests } from './read-manifests.ts';
import type { Resource } from './resource.ts';
import { readImageVersion } from '../../stack/fetch/fetch-jars.ts';
import { readInfraSettings, readLeftOut } from './server-settings.ts';
import { environmentOf, readWorkload } from './workload.ts';

const checkout = resolve(import.meta.dirname, '../..');
const resources = folders.flatMap(readManifests);
const ofKind = (kind: string): Resource[] => resources.filter((resource) => resource.kind === kind);
const texts = z.record(z.string(), z.unknown());

function find(kind: string, name: string): Resource {
  const found = ofKind(kind).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} is called ${name}`);
  return found;
}

function configOf(resource: Resource): Record<string, string> {
  const config = texts.parse(texts.parse(resource['spec'])['config']);
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]));
}

const without = (
  entries: Readonly<Record<string, string>>,
  keys: readonly string[],
): Record<string, string> =>
  Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.includes(key)));

test('each folder names every file that is in it, and no resource comes twice', () => {
  expect(folders).toContain('base');
  for (const folder of folders) {
    const files = readdirSync(resolve(manifestFolder, folder)).filter(
      (file) => file !== 'kustomization.yaml',
    );
    expect(listFiles(folder).toSorted()).toEqual(files.toSorted());
  }
  const names = resources.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  expect(new Set(names).size).toBe(names.length);
});

describe('Kafka', () => {
  test('the topics are those of the contracts, with the same partitions, replication and settings', () => {
    const topicSpec = z.strictObject({
      topicName: z.string().optional(),
      partitions: z.number(),
      replicas: z.number(),
      config: z.record(z.string(), z.string()),
    });
    const manifests = ofKind('KafkaTopic').map(({ metadata, spec }) => {
      expect(metadata.labels?.['strimzi.io/cluster']).toBe('board');
      const { topicName, partitions, replicas, config } = topicSpec.parse(spec);
      return { name: topicName ?? metadata.name, partitions, replicationFactor: replicas, config };
    });
    const byName = (a: { name: string }, b: { name: string }): number =>
      a.name.localeCompare(b.name);
    expect(manifests.toSorted(byName)).toEqual(topics.toSorted(byName));
  });

  test('the brokers have each setting of infra/kafka, or kafka.yaml says why not', () => {
    const broker = readInfraSettings('kafka/broker.properties', 'kafka/broker-kraft.properties');
    const { config } = z
      .looseObject({ config: texts })
      .parse(texts.parse(find('Kafka', 'board')['spec'])['kafka']);
    const { 'delete.topic.enable': _, ...carried } = config;
    for (const [key, value] of Object.entries(carried))
      expect([key, String(value)]).toEqual([key, broker[key]]);
    const missing = Object.keys(broker).filter((key) => !(key in carried));
    expect(readLeftOut('kafka.yaml').toSorted()).toEqual(missing.toSorted());
  });

  test('brokers and Connect run one version, and no client connects without a name and TLS', () => {
    const { kafka } = z
      .looseObject({
        kafka: z.looseObject({
          version: z.string(),
          metadataVersion: z.string(),
          listeners: z
            .array(z.looseObject({ tls: z.literal(true), authentication: z.looseObject({}) }))
            .length(1),
          authorization: z.object({ type: z.literal('simple') }),
        }),
      })
      .parse(find('Kafka', 'board')['spec']);
    expect(texts.parse(find('KafkaConnect', 'connect')['spec'])['version']).toBe(kafka.version);
    expect(kafka.metadataVersion.startsWith(kafka.version.split('.').slice(0, 2).join('.'))).toBe(
      true,
    );
  });
});

/** What a KafkaUser may do: `topic board literal` and its operations. */
function rightsOf(name: string): Record<string, string[]> {
  const acl = z.object({
    resource: z.object({ type: z.string(), name: z.string(), patternType: z.string() }),
    operations: z.array(z.string()),
  });
  const { authorization } = z
    .looseObject({ authorization: z.object({ type: z.literal('simple'), acls: z.array(acl) }) })
    .parse(find('KafkaUser', name)['spec']);
  return Object.fromEntries(
    authorization.acls.map(({ resource, operations }) => [
      `${resource.type} ${resource.name} ${resource.patternType}`,
      operations,
    ]),
  );
}

describe('the rights in Kafka', () => {
  test.each(aggregates)('let Connect write $type', ({ topic }) => {
    expect(rightsOf('connect')).toMatchObject({
      [`topic ${topic.name} literal`]: ['Describe', 'DescribeConfigs', 'Write'],
    });
  });

  test.each(consumers)(
    'let $group read its source and keep its own topics and groups, and nothing else',
    (consumer) => {
      const { group, source } = consumer;
      expect(rightsOf(group)).toEqual({
        [`topic ${source.name} literal`]: ['Describe', 'Read'],
        [`topic ${group}. prefix`]: ['Describe', 'Read', 'Write'],
        [`group ${group} prefix`]: ['Delete', 'Describe', 'Read'],
      });
    },
  );

  test.each(consumers)(
    'let the keeper trim the retry topics of $group, and the autoscaler read its lag',
    ({ group, source }) => {
      expect(rightsOf('keeper')).toMatchObject({
        [`topic ${group}.retry. prefix`]: ['Delete', 'Describe', 'Read'],
        [`group ${group}.retry literal`]: ['Describe'],
        [`topic ${source.name} literal`]: ['Describe', 'Read'],
        [`group ${group} literal`]: ['Describe'],
      });
      expect(rightsOf('autoscaler')).toMatchObject({
        [`topic ${source.name} literal`]: ['Describe'],
        [`group ${group} literal`]: ['Describe'],
      });
    },
  );
});

describe('the connector', () => {
  test('is connectors/board-outbox.json, key by key, and adds only the login of the schema history', () => {
    const { spec, metadata } = find('KafkaConnector', 'board-outbox');
    const { class: connectorClass, tasksMax } = z
      .looseObject({ class: z.string(), tasksMax: z.number() })
      .parse(spec);
    const config = configOf(find('KafkaConnector', 'board-outbox'));
    const login =
      /^schema\.history\.internal\.(producer|consumer)\.(security\.protocol|sasl\.|ssl\.)/;
    const added = Object.keys(config).filter((key) => login.test(key));
    expect({
      name: metadata.name,
      'connector.class': connectorClass,
      'tasks.max': String(tasksMax),
      ...without(config, added),
    }).toEqual(JSON.parse(readFileSync(resolve(checkout, 'connectors/board-outbox.json'), 'utf8')));
    expect(added).toHaveLength(10);
  });

  test('finds every variable that it names in the environment of the worker', () => {
    const text = JSON.stringify(find('KafkaConnector', 'board-outbox'));
    const named = new Set([...text.matchAll(/\$\{env:(\w+)\}/g)].map(([, name]) => name));
    const container = z
      .looseObject({
        template: z.looseObject({
          connectContainer: z.object({ env: z.array(z.looseObject({ name: z.string() })) }),
        }),
      })
      .parse(find('KafkaConnect', 'connect')['spec']).template.connectContainer;
    expect(container.env.map(({ name }) => name).toSorted()).toEqual([...named].toSorted());
  });

  test('runs on a worker with each setting of infra/connect, or connect.yaml says why not', () => {
    const connect = readInfraSettings('connect/worker.properties');
    const spec = texts.parse(find('KafkaConnect', 'connect')['spec']);
    const fields = {
      groupId: 'group.id',
      configStorageTopic: 'config.storage.topic',
      offsetStorageTopic: 'offset.storage.topic',
      statusStorageTopic: 'status.storage.topic',
    };
    for (const [field, key] of Object.entries(fields)) expect(spec[field]).toBe(connect[key]);
    expect(configOf(find('KafkaConnect', 'connect'))).toEqual(
      without(connect, [...Object.values(fields), ...readLeftOut('connect.yaml')]),
    );
  });

  test('has the Debezium of docker-compose.yml', () => {
    const version = readImageVersion('docker-compose.yml', 'quay.io/debezium/connect');
    expect(JSON.stringify(find('KafkaConnect', 'connect'))).toContain(
      `"artifact":"debezium-connector-mysql","version":"${version}"`,
    );
  });
});

test('the registry has the image of docker-compose.yml and each setting of infra/registry, or registry.yaml says why not', () => {
  const given = environmentOf(find('Deployment', 'registry'));
  const ofItsPlace = /PASSWORD$|HOST$|PORT$/;
  expect(
    Object.fromEntries(Object.entries(given).filter(([key]) => !ofItsPlace.test(key))),
  ).toEqual(without(readInfraSettings('registry/registry.env'), readLeftOut('registry.yaml')));
  const composed = readCompose('docker-compose.yml').services['registry']?.image;
  expect(readWorkload(find('Deployment', 'registry')).container.image).toBe(composed);
});

const services = [
  {
    name: 'order-service',
    schema: orderSchema,
    database: 'order_service',
    isScaled: true,
    role: 'owner',
  },
  ...consumers.map(({ group, database }) => ({
    name: group,
    schema: consumerEnvironment(group),
    database,
    isScaled: true,
    role: 'consumer',
  })),
  {
    name: 'keeper',
    schema: keeperSchema,
    database: 'order_service',
    isScaled: false,
    role: 'keeper',
  },
];

describe.each(services)('$name', ({ name, schema, database, isScaled, role }) => {
  const deployment = find('Deployment', name);
  const { container, labels, component, pod } = readWorkload(deployment);

  test('gets every variable that it needs and none that it does not know', () => {
    const given = environmentOf(deployment);
    const values = Object.keys(given).map((variable) => variable.replace(/_FILE$/, ''));
    expect(values.filter((variable) => !(variable in schema.shape))).toEqual([]);
    const text = Object.fromEntries(
      Object.entries(given).filter(([variable]) => !variable.endsWith('_FILE')),
    );
    const config = readConfig<z.ZodObject>(schema, text);
    expect(config).toMatchObject({
      HTTP_HOST: '0.0.0.0',
      HTTP_PORT: container.ports[0]?.containerPort,
    });
    expect(config['DATABASE_NAME']).toBe(database);
  });

  test('takes the password of the user whom it names', () => {
    const password = container.env.find((variable) => variable.name === 'DATABASE_PASSWORD')
      ?.valueFrom?.secretKeyRef;
    expect(password).toEqual({
      name: 'mysql-passwords',
      key: environmentOf(deployment)['DATABASE_USER'],
    });
  });

  test('is to the network what it is', () => {
    expect(component).toBe(role);
  });

  test('is started from a file that exists, and probed on paths that it answers', () => {
    expect(container.command?.[0]).toBe('node');
    expect(existsSync(resolve(checkout, container.command?.[1] ?? 'no file'))).toBe(true);
    const answered = createHealth().router.stack.map(({ path }) => path);
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map((probe) => probe?.httpGet)).toEqual([
      { path: '/healthz', port: 'http' },
      { path: '/healthz', port: 'http' },
      { path: '/readyz', port: 'http' },
    ]);
    for (const probe of probes) expect(answered).toContain(probe?.httpGet.path);
  });

  test('has a Service, a ServiceAccount, a disruption budget, and an autoscaler where one helps', () => {
    expect(find('Service', name)['spec']).toMatchObject({
      selector: labels,
      ports: [{ targetPort: 'http' }],
    });
    expect(find('ServiceAccount', pod.serviceAccountName)['automountServiceAccountToken']).toBe(
      false,
    );
    expect(find('PodDisruptionBudget', name)['spec']).toMatchObject({
      maxUnavailable: 1,
      selector: { matchLabels: labels },
    });
    const scalers = [...ofKind('ScaledObject'), ...ofKind('HorizontalPodAutoscaler')];
    const own = scalers.filter(({ spec }) => JSON.stringify(spec).includes(`"name":"${name}"`));
    expect(own).toHaveLength(isScaled ? 1 : 0);
    // Where both say how many, each deployment would undo what the autoscaler did.
    expect('replicas' in texts.parse(deployment['spec'])).toBe(!isScaled);
  });
});

test.each(consumers)(
  '$group grows with the lag of its group on $source.name, to one instance a partition',
  (consumer) => {
    const { group, source } = consumer;
    expect(find('ScaledObject', group)['spec']).toMatchObject({
      minReplicaCount: 2,
      maxReplicaCount: source.partitions,
      fallback: { replicas: source.partitions },
      triggers: [
        {
          type: 'kafka',
          metadata: { topic: source.name, consumerGroup: group, offsetResetPolicy: 'earliest' },
        },
      ],
    });
  },
);

describe('the setup job', () => {
  const { container } = readWorkload(find('Job', 'setup'));

  test('gets every variable that it needs and none that it does not know', () => {
    const given = environmentOf(find('Job', 'setup'));
    expect(
      Object.keys(given).filter((variable) => !(variable in provisionEnvironment.shape)),
    ).toEqual([]);
    expect(readConfig(provisionEnvironment, given).MYSQL_USER_HOST).toBe('%');
  });

  test(
    'runs steps that exist: only the configuration keeps it from starting here',
    { timeout: 60_000 },
    async () => {
      const [, ...args] = container.command ?? [];
      const run = promisify(execFile)(process.execPath, args, { cwd: checkout, env: {} });
      await expect(run).rejects.toThrow('The configuration cannot be used');
    },
  );
});

test('every name of a server is that of a Service here or of the operator, at its port', () => {
  const own = ofKind('Service').flatMap(({ metadata, spec }) => {
    const { ports = [] } = z
      .looseObject({ ports: z.array(z.looseObject({ port: z.number() })).optional() })
      .parse(spec);
    return ports.map(({ port }) => `${metadata.name}:${port}`);
  });
  const known = [...own, 'mysql:3306', 'board-kafka-bootstrap:9093', 'connect-connect-api:8083'];
  const workloads = [...ofKind('Deployment'), ...ofKind('Job')].map((resource) =>
    environmentOf(resource),
  );
  const named = workloads.flatMap((given) => [
    ...(given['DATABASE_HOST'] ? [`${given['DATABASE_HOST']}:${given['DATABASE_PORT']}`] : []),
    ...(given['MYSQL_HOST'] ? [`${given['MYSQL_HOST']}:${given['MYSQL_PORT']}`] : []),
    ...(given['KAFKA_BROKERS']?.split(',') ?? []),
    ...[given['REGISTRY_URL'], given['CONNECT_URL']].flatMap((url) =>
      url === undefined ? [] : [new URL(url).host],
    ),
  ]);
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((address) => !known.includes(address))).toEqual([]);
});

test('no Secret with a secret in it is among the manifests', () => {
  expect(ofKind('Secret').map((secret) => secret['stringData'])).toEqual([
    { username: 'autoscaler' },
  ]);
});

test('nothing is allowed in or out by default', () => {
  expect(find('NetworkPolicy', 'deny-all')['spec']).toEqual({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
  });
});

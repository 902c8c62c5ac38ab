import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { boardOutbox } from '../../packages/relay/src/connector-definition.ts';
import { connectServer } from '../../stack/servers/connect.ts';
import { brokerIds, kafkaServer } from '../../stack/servers/kafka.ts';
import { mysqlServer } from '../../stack/servers/mysql.ts';
import { catalogService, orderService } from '../../stack/servers/our-services.ts';
import { registryServer } from '../../stack/servers/registry.ts';
import { zookeeperServer } from '../../stack/servers/kafka.ts';
import { nativeContext } from './native-settings.ts';
import { checkout, type ComposeService, readCompose, readText } from './read-compose.ts';

const compose = readCompose('docker-compose.yml');
const zookeeper = readCompose('docker-compose.zookeeper.yml');
const { context, remove } = nativeContext();
afterAll(remove);
const older = nativeContext('zookeeper');
afterAll(older.remove);

const service = (name: string): ComposeService => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};

describe('the settings of infra/', () => {
  const everyService = [...Object.entries(compose.services), ...Object.entries(zookeeper.services)];

  it('are mounted from files that there are', () => {
    const named = everyService.flatMap(([, { volumes, env_file: files }]) => [
      ...volumes
        .map((volume) => volume.split(':')[0] ?? '')
        .filter((source) => source.startsWith('./')),
      ...files,
    ]);
    expect(named.filter((file) => !existsSync(resolve(checkout, file)))).toEqual([]);
  });

  it.each([
    ['mysql', ['infra/mysql']],
    ['kafka-1', ['infra/java.env', 'infra/kafka/broker.env', 'infra/kafka']],
    ['connect', ['infra/java.env', 'infra/connect/worker.env', 'infra/connect']],
    ['registry', ['infra/registry/registry.env']],
  ])('reach the container %s', (name, files) => {
    const { volumes, env_file: variables } = service(name);
    expect([
      ...variables,
      ...volumes.map((volume) => volume.replace(/^\.\/([^:]+):.*:ro$/, '$1')),
    ]).toEqual(expect.arrayContaining(files));
  });

  it.each([
    ['mysql', context, mysqlServer(context), 'my.cnf', ['mysql/my.cnf']],
    [
      'broker',
      context,
      kafkaServer(context, 1),
      'kafka-1.properties',
      ['kafka/broker.properties', 'kafka/broker-kraft.properties'],
    ],
    [
      'older broker',
      older.context,
      kafkaServer(older.context, 1),
      'kafka-1.properties',
      ['kafka/broker.properties', 'kafka/broker-zookeeper.properties'],
    ],
    [
      'zookeeper',
      older.context,
      zookeeperServer(older.context),
      'zookeeper.properties',
      ['zookeeper/zookeeper.properties'],
    ],
    [
      'connect',
      context,
      connectServer(context),
      'connect.properties',
      ['connect/worker.properties'],
    ],
  ])(
    'reach the native server: %s; what the launcher adds overrides none of them',
    async (_, { instance }, server, file, shared) => {
      // MySQL's folder counts as filled: no program is run.
      mkdirSync(join(instance.dataDir, server.name), { recursive: true });
      await server.prepare(() => Promise.resolve());
      const written = readFileSync(join(instance.configDir, file), 'utf8');
      for (const one of shared) expect(written).toContain(readText(`infra/${one}`));
      const keys = [...written.matchAll(/^([^#=\n]+)=/gm)].map(([, key]) => key);
      expect(keys.length).toBeGreaterThan(new Set(shared).size);
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
    },
  );

  it.each([
    ['kafka-1', kafkaServer(context, 1), 'infra/kafka/broker.env'],
    ['connect', connectServer(context), 'infra/connect/worker.env'],
    ['zookeeper', zookeeperServer(older.context), 'infra/zookeeper/zookeeper.env'],
    ['registry', registryServer(context), 'infra/registry/registry.env'],
  ])('give the native %s its heap', async (_, server, file) => {
    const [, heap = 'none'] = /(-Xms\w+ -Xmx\w+)/.exec(readText(file)) ?? [];
    expect((await server.command()).args.join(' ')).toContain(`${heap} -XX:+UseSerialGC`);
  });
});

it('the connector finds every variable that it names; its password comes from a file', () => {
  const named = [...JSON.stringify(boardOutbox).matchAll(/\$\{env:(\w+)\}/g)].map(
    ([, name]) => name,
  );
  const { CDC_MYSQL_PASSWORD_FILE: file, ...given } = service('connect').environment;
  expect(file).toBe('/run/secrets/cdc');
  expect([...Object.keys(given), 'CDC_MYSQL_PASSWORD']).toEqual(
    expect.arrayContaining([...new Set(named)]),
  );
});

it.each([
  ['mysql', mysqlServer(context)],
  ['kafka-1', kafkaServer(context, 1)],
  ['connect', connectServer(context)],
  ['registry', registryServer(context)],
  ['order-service', orderService(context)],
  ['catalog-service-1', catalogService(context, 1)],
])('the container %s may take as long to stop as the native server', (name, server) => {
  const seconds = Number(/^(\d+)s$/.exec(service(name).stop_grace_period ?? '')?.[1]);
  expect(seconds * 1000).toBeGreaterThanOrEqual(server.stopTimeoutMs);
});

it('the ZooKeeper flavour changes brokers, their image and the volumes, and nothing else', () => {
  expect(Object.keys(zookeeper.services)).toEqual([
    'zookeeper',
    'mysql',
    ...brokerIds.map((id) => `kafka-${id}`),
  ]);
  const volumes = Object.values(zookeeper.services).flatMap((one) =>
    one.volumes.map((volume) => volume.split(':')[0]),
  );
  for (const volume of volumes) expect(volume).toMatch(/^(zookeeper-|\.\/infra)/);
});

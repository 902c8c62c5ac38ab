import { afterAll, describe, expect, it } from 'vitest';
import { boardOutbox } from '../../connectors/src/connector-definition.ts';
import { portsAt } from '../../stack/instance/ports.ts';
import { brokerIds } from '../../stack/servers/broker-settings.ts';
import { catalogService } from '../../stack/servers/catalog-service.ts';
import { connectServer } from '../../stack/servers/connect.ts';
import { kafkaServer } from '../../stack/servers/kafka.ts';
import { mysqlServer } from '../../stack/servers/mysql.ts';
import { orderService } from '../../stack/servers/order-service.ts';
import { registryServer } from '../../stack/servers/registry.ts';
import { zookeeperServer } from '../../stack/servers/zookeeper.ts';
import { memoryOptions, nativeContext, writtenSettings } from './native-settings.ts';
import { readCompose, readText, type ComposeService } from './read-compose.ts';

const compose = readCompose('docker-compose.yml');
const zookeeper = readCompose('docker-compose.zookeeper.yml');
const { context, remove } = nativeContext();
afterAll(remove);

const service = (name: string): ComposeService => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
};
const environmentOf = (name: string): Record<string, string> => service(name).environment;

/** Without the keys where the two ways to run must differ: addresses, folders, what only one of them needs. */
function without(settings: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !keys.includes(key)));
}

describe('a container has the settings of the native server', () => {
  it('MySQL', async () => {
    const native = await writtenSettings(context, mysqlServer(context), 'my.cnf');
    const container = Object.fromEntries(
      (service('mysql').command ?? []).map((option) => {
        const [, name = '', value = ''] = /^--([a-z-]+)=(.*)$/.exec(option) ?? [];
        return [name.replaceAll('-', '_'), value];
      }),
    );
    // The image has folders, socket and user of its own, and listens for the other containers.
    const ofOne = ['datadir', 'user', 'bind_address', 'port', 'socket', 'pid_file'];
    expect(container).toEqual(without(native, ofOne));
  });

  const addresses = ['controller.quorum.voters', 'listeners', 'advertised.listeners', 'log.dirs', 'node.id'];
  const dots = (environment: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(environment)
        .filter(([key]) => /^KAFKA_(?!HEAP_OPTS|JVM_PERFORMANCE_OPTS)/.test(key))
        .map(([key, value]) => [key.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'), value]),
    );

  it.each(brokerIds)('broker %i', async (id) => {
    const native = await writtenSettings(context, kafkaServer(context, id), `kafka-${id}.properties`);
    const container = dots(environmentOf(`kafka-${id}`));
    // One listener more: containers and this machine's programs come by different addresses.
    const ofOne = [...addresses, 'listener.security.protocol.map'];
    expect(without(container, ofOne)).toEqual(without(native, ofOne));
    expect(container['node.id']).toBe(String(id));
    expect(container['advertised.listeners']).toBe(
      `BROKER://kafka-${id}:9092,HOST://127.0.0.1:${portsAt(0).brokers[id - 1]}`,
    );
  });

  it('Connect', async () => {
    const native = await writtenSettings(context, connectServer(context), 'connect.properties');
    // The image overwrites these from its short names.
    const short: Record<string, string> = {
      GROUP_ID: 'group.id',
      CONFIG_STORAGE_TOPIC: 'config.storage.topic',
      OFFSET_STORAGE_TOPIC: 'offset.storage.topic',
      STATUS_STORAGE_TOPIC: 'status.storage.topic',
      KEY_CONVERTER: 'key.converter',
      VALUE_CONVERTER: 'value.converter',
      OFFSET_FLUSH_INTERVAL_MS: 'offset.flush.interval.ms',
    };
    const container = Object.fromEntries(
      Object.entries(environmentOf('connect')).flatMap(([key, value]) => {
        const name = short[key] ?? /^CONNECT_(?!LOG4J)(.*)$/.exec(key)?.[1]?.toLowerCase().replaceAll('_', '.');
        return name === undefined ? [] : [[name, value]];
      }),
    );
    expect(Object.keys(environmentOf('connect')).filter((key) => key.replace(/^CONNECT_/, '') in short)).toEqual(
      Object.keys(short).filter((key) => key in environmentOf('connect')),
    );
    const ofOne = ['bootstrap.servers', 'listeners', 'rest.advertised.host.name', 'plugin.path'];
    expect(without(container, ofOne)).toEqual(without(native, ofOne));
  });

  it('the connector finds every variable that it names', () => {
    const named = [...JSON.stringify(boardOutbox).matchAll(/\$\{env:(\w+)\}/g)].map(([, name]) => name);
    // Its password comes from the secret's file, in the entrypoint.
    expect(Object.keys(environmentOf('connect'))).toEqual(
      expect.arrayContaining([...new Set(named)].filter((name) => name !== 'CDC_MYSQL_PASSWORD')),
    );
    expect(service('connect')['entrypoint']).toEqual([
      'bash',
      '-c',
      'CDC_MYSQL_PASSWORD="$(cat /run/secrets/cdc)" exec /docker-entrypoint.sh start',
    ]);
  });

  it('the registry', async () => {
    const { env = {} } = await registryServer(context).command();
    const shared = without(environmentOf('registry'), [
      'APICURIO_DATASOURCE_URL',
      'APICURIO_DATASOURCE_PASSWORD_FILE',
      'JAVA_OPTS_APPEND',
    ]);
    expect(env).toMatchObject(shared);
    expect(environmentOf('registry')['APICURIO_DATASOURCE_URL']).toBe(
      env['APICURIO_DATASOURCE_URL']?.replace('127.0.0.1:13306', 'mysql:3306'),
    );
  });

  it.each([
    ['kafka-1', kafkaServer(context, 1), 'KAFKA_HEAP_OPTS', 'KAFKA_JVM_PERFORMANCE_OPTS'],
    ['connect', connectServer(context), 'HEAP_OPTS', 'KAFKA_JVM_PERFORMANCE_OPTS'],
    ['registry', registryServer(context), 'JAVA_OPTS_APPEND', undefined],
  ])('the heap of %s', async (name, server, heap, others) => {
    const native = memoryOptions(await server.command());
    expect(environmentOf(name)[heap]?.split(' ')).toContain(native.maxHeap);
    if (others !== undefined) expect(environmentOf(name)[others]?.split(/\s+/)).toEqual(native.others);
  });

  it.each([
    ['mysql', mysqlServer(context)],
    ['kafka-1', kafkaServer(context, 1)],
    ['connect', connectServer(context)],
    ['registry', registryServer(context)],
    ['order-service', orderService(context)],
    ['catalog-service-1', catalogService(context, 1)],
  ])('%s may take as long to stop', (name, server) => {
    const seconds = Number(/^(\d+)s$/.exec(service(name).stop_grace_period ?? '')?.[1]);
    expect(seconds * 1000).toBeGreaterThanOrEqual(server.stopTimeoutMs);
  });
});

describe('the ZooKeeper flavour', () => {
  it('changes brokers, their image and the volumes, and nothing else', () => {
    expect(Object.keys(zookeeper.services)).toEqual(['zookeeper', 'mysql', ...brokerIds.map((id) => `kafka-${id}`)]);
    const volumes = Object.values(zookeeper.services).flatMap((one) =>
      one.volumes.map((volume) => volume.split(':')[0]),
    );
    for (const volume of volumes) expect(volume).toMatch(/^(zookeeper-|\.\/deploy)/);
  });

  const older = nativeContext('zookeeper');
  afterAll(older.remove);

  it.each(brokerIds)('broker %i has the settings of the native one', async (id) => {
    const native = await writtenSettings(older.context, kafkaServer(older.context, id), `kafka-${id}.properties`);
    const file = readProperties('deploy/kafka/zookeeper-broker.properties');
    const addresses = ['zookeeper.connect', 'listeners', 'listener.security.protocol.map', 'log.dirs'];
    // These two come from the command line.
    const perBroker = ['broker.id', 'advertised.listeners'];
    expect(without(file, addresses)).toEqual(without(native, [...perBroker, ...addresses]));
    const environment = zookeeper.services[`kafka-${id}`]?.environment;
    const kraft = environmentOf(`kafka-${id}`);
    expect(environment).toEqual({
      BROKER_ID: native['broker.id'],
      ADVERTISED_LISTENERS: kraft['KAFKA_ADVERTISED_LISTENERS'],
      KAFKA_HEAP_OPTS: kraft['KAFKA_HEAP_OPTS'],
      KAFKA_JVM_PERFORMANCE_OPTS: kraft['KAFKA_JVM_PERFORMANCE_OPTS'],
    });
  });

  it('ZooKeeper itself has them too', async () => {
    const server = zookeeperServer(older.context);
    const native = await writtenSettings(older.context, server, 'zookeeper.properties');
    const places = ['dataDir', 'clientPort', 'clientPortAddress'];
    expect(without(readProperties('deploy/kafka/zookeeper.properties'), places)).toEqual(without(native, places));
    const { maxHeap } = memoryOptions(await server.command());
    expect(zookeeper.services['zookeeper']?.environment['KAFKA_HEAP_OPTS']).toContain(maxHeap);
  });
});

function readProperties(file: string): Record<string, string> {
  return Object.fromEntries(
    readText(file)
      .split('\n')
      .filter((line) => line.includes('=') && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFile } from '../instance/instance.ts';
import { javaCommand, javaStopTimeoutMs, log4j2Option, log4jOption } from './command-lines.ts';
import {
  askZookeeper,
  countBrokers,
  layers,
  loopback,
  type Address,
  type RunTask,
  type Server,
  type ServerContext,
} from './server.ts';
import { properties, readJavaOptions, readSettings } from './settings.ts';

export const brokerIds = [1, 2, 3] as const;
type BrokerId = (typeof brokerIds)[number];

/** One of three Kafka brokers. */
export function kafkaServer(context: ServerContext, id: BrokerId): Server {
  const { instance, cluster, hosts, ports, programs } = context;
  const name = `kafka-${id}`;
  const host = hosts.brokers[id - 1] ?? loopback;
  const port = ports.brokers[id - 1] ?? 0;
  const configFile = resolve(instance.configDir, `${name}.properties`);
  const dataDir = resolve(instance.dataDir, name);

  return {
    name,
    layer: layers.kafka,
    address: () => `${host}:${port}`,
    prepare: async (runTask) => {
      writeFile(configFile, brokerSettings(context, id, dataDir));
      const isFormatted = existsSync(resolve(dataDir, 'meta.properties'));
      // With ZooKeeper a broker makes its folder itself.
      if (cluster === 'kraft' && !isFormatted) await format(context, name, configFile, runTask);
    },
    command: async () => {
      if (cluster === 'zookeeper')
        await waitUntilForgotten({ host: hosts.zookeeper, port: ports.zookeeper }, id);
      return javaCommand(context, {
        // One broker records the AOT cache for all three.
        aot: programs.aot.kind === 'record' && id !== 1 ? undefined : 'broker',
        heap: readJavaOptions('kafka/broker.env', 'KAFKA_HEAP_OPTS'),
        options: [cluster === 'kraft' ? log4j2Option : log4jOption],
        jars: programs.jars.brokers,
        run: ['kafka.Kafka', configFile],
      });
    },
    probe: async () => {
      const known = await countBrokers({ host, port });
      return known === brokerIds.length
        ? { kind: 'ready' }
        : { kind: 'not-ready', reason: `knows ${known} of 3 brokers` };
    },
    readyTimeoutMs: 120_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

/** The bootstrap addresses, as host:port. */
export function brokerAddresses({
  hosts,
  ports,
}: Pick<ServerContext, 'hosts' | 'ports'>): string[] {
  return ports.brokers.map((port, index) => `${hosts.brokers[index]}:${port}`);
}

/**
 * The settings of one broker: those of `infra/kafka` for its flavour of cluster, then its own
 * number, addresses and folder.
 */
function brokerSettings(context: ServerContext, id: BrokerId, dataDir: string): string {
  const { cluster, hosts, ports } = context;
  const listener = `BROKER://${hosts.brokers[id - 1]}:${ports.brokers[id - 1]}`;
  const controller = (node: BrokerId): string =>
    `${hosts.brokers[node - 1]}:${ports.controllers[node - 1]}`;
  const own =
    cluster === 'kraft'
      ? {
          'node.id': id,
          'controller.quorum.voters': brokerIds
            .map((voter) => `${voter}@${controller(voter)}`)
            .join(','),
          listeners: `${listener},CONTROLLER://${controller(id)}`,
          'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
        }
      : {
          'broker.id': id,
          'zookeeper.connect': zookeeperAddress(context),
          listeners: listener,
          'listener.security.protocol.map': 'BROKER:PLAINTEXT',
        };
  return (
    readSettings('kafka/broker.properties') +
    readSettings(`kafka/broker-${cluster}.properties`) +
    properties({ ...own, 'advertised.listeners': listener, 'log.dirs': dataDir })
  );
}

/** Makes the data folder of a KRaft node. */
function format(
  context: ServerContext,
  name: string,
  configFile: string,
  runTask: RunTask,
): Promise<void> {
  const { instance, programs } = context;
  return runTask(
    `${name}-format`,
    javaCommand(context, {
      aot: undefined,
      heap: ['-Xmx128m'],
      options: ['-XX:TieredStopAtLevel=1', log4j2Option],
      jars: programs.jars.brokers,
      run: [
        'kafka.tools.StorageTool',
        'format',
        '--cluster-id',
        clusterId(instance.name),
        '--config',
        configFile,
        '--ignore-formatted',
      ],
    }),
  );
}

/**
 * Sixteen bytes in base64url; the same for all nodes of an instance, and never a "-" at its start.
 */
function clusterId(instanceName: string): string {
  const digest = createHash('sha256').update(`board-pipeline ${instanceName}`).digest();
  digest[0] = 1;
  return digest.subarray(0, 16).toString('base64url');
}

const sessionTimeoutMs = Number(
  /^zookeeper\.session\.timeout\.ms=(\d+)$/m.exec(
    readSettings('kafka/broker-zookeeper.properties'),
  )?.[1],
);

/**
 * Waits until ZooKeeper has forgotten a killed broker: until then it takes the new process for a
 * second broker of the same number, and that one dies. At most a little longer than a session;
 * without an answer there is nothing to wait for.
 */
async function waitUntilForgotten(zookeeper: Address, id: BrokerId): Promise<void> {
  for (const deadline = Date.now() + sessionTimeoutMs + 4000; Date.now() < deadline;) {
    const sessions = await askZookeeper(zookeeper, 'dump').catch(() => '');
    if (!new RegExp(`/brokers/ids/${id}$`, 'm').test(sessions)) return;
    await delay(100);
  }
}

/**
 * The ZooKeeper of the older cluster: one server, which knows the brokers, the topics and where
 * their copies lie.
 */
export function zookeeperServer(context: ServerContext): Server {
  const { instance, hosts, ports, programs } = context;
  const dataDir = resolve(instance.dataDir, 'zookeeper');
  const configFile = resolve(instance.configDir, 'zookeeper.properties');
  return {
    name: 'zookeeper',
    layer: layers.zookeeper,
    address: () => zookeeperAddress(context),
    prepare: () => {
      // Shows the flavour of this data folder, so it must exist before any broker's.
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      writeFile(configFile, settings(context, dataDir));
    },
    command: () =>
      javaCommand(context, {
        // It starts in a second as it is.
        aot: undefined,
        heap: readJavaOptions('zookeeper/zookeeper.env', 'KAFKA_HEAP_OPTS'),
        options: [log4jOption],
        jars: programs.jars.brokers,
        run: ['org.apache.zookeeper.server.quorum.QuorumPeerMain', configFile],
      }),
    probe: async () => {
      const answer = await askZookeeper({ host: hosts.zookeeper, port: ports.zookeeper }, 'srvr');
      return answer.includes('Mode: standalone')
        ? { kind: 'ready' }
        : { kind: 'not-ready', reason: `it says: ${answer.trim()}` };
    },
    readyTimeoutMs: 60_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

/** The address of ZooKeeper, as host:port. */
function zookeeperAddress({ hosts, ports }: Pick<ServerContext, 'hosts' | 'ports'>): string {
  return `${hosts.zookeeper}:${ports.zookeeper}`;
}

/** The settings of `infra/zookeeper`, then this server's folder and address. */
function settings({ hosts, ports }: ServerContext, dataDir: string): string {
  return (
    readSettings('zookeeper/zookeeper.properties') +
    properties({ dataDir, clientPort: ports.zookeeper, clientPortAddress: hosts.zookeeper })
  );
}

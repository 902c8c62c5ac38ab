import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeFile } from '../instance/instance.ts';
import { javaCommand, javaStopTimeoutMs, log4jOption } from './command-lines.ts';
import { askZookeeper } from './probes.ts';
import { layers, type Server, type ServerContext } from './server.ts';
import { properties, readJavaOptions, readSettings } from './settings.ts';

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
      // Tells the flavour of this data folder, so it is there before any broker's.
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
      return answer.includes('Mode: standalone') ? undefined : `it says: ${answer.trim()}`;
    },
    readyTimeoutMs: 60_000,
    stopTimeoutMs: javaStopTimeoutMs(context),
  };
}

export function zookeeperAddress({ hosts, ports }: Pick<ServerContext, 'hosts' | 'ports'>): string {
  return `${hosts.zookeeper}:${ports.zookeeper}`;
}

/** The settings of `infra/zookeeper`, then this server's folder and address. */
function settings({ hosts, ports }: ServerContext, dataDir: string): string {
  return (
    readSettings('zookeeper/zookeeper.properties') +
    properties({ dataDir, clientPort: ports.zookeeper, clientPortAddress: hosts.zookeeper })
  );
}

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeFile } from '../instance/write-file.ts';
import { askZookeeper } from './ask-zookeeper.ts';
import { javaCommand, javaStopTimeoutMs } from './java-command.ts';
import { properties } from './properties.ts';
import { reload4jOption } from './reload4j.ts';
import { layers, type Server, type ServerContext } from './server.ts';

/** How long a dead broker counts as alive, for ZooKeeper and so for the others: Kafka's own 18 s would be an outage. */
export const sessionTimeoutMs = 6000;

/** The ZooKeeper of the older cluster: one server, which knows the brokers, the topics and where their copies lie. */
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
      writeFile(configFile, properties(settings(context, dataDir)));
      return Promise.resolve();
    },
    command: () =>
      Promise.resolve(
        javaCommand(context, {
          // It starts in a second as it is.
          aot: undefined,
          maxHeapMb: 128,
          options: [reload4jOption(instance)],
          run: [
            '-cp',
            programs.jars.brokers.join(':'),
            'org.apache.zookeeper.server.quorum.QuorumPeerMain',
            configFile,
          ],
        }),
      ),
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

function settings({ hosts, ports }: ServerContext, dataDir: string): Record<string, string | number | boolean> {
  return {
    dataDir,
    clientPort: ports.zookeeper,
    clientPortAddress: hosts.zookeeper,
    // A web server of its own, on all interfaces.
    'admin.enableServer': false,
    // `srvr` is our probe; `dump` tells which brokers count as alive.
    '4lw.commands.whitelist': 'srvr,dump',
    tickTime: 2000,
    // By default old snapshots and logs are never deleted.
    'autopurge.purgeInterval': 1,
    'autopurge.snapRetainCount': 3,
  };
}

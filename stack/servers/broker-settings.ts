import type { ServerContext } from './server.ts';
import { sessionTimeoutMs, zookeeperAddress } from './zookeeper.ts';

export const brokerIds = [1, 2, 3] as const;
export type BrokerId = (typeof brokerIds)[number];

type Settings = Readonly<Record<string, string | number | boolean>>;

/** The properties of one broker: how its cluster holds together, and what both flavours have in common. */
export function brokerSettings(context: ServerContext, id: BrokerId, dataDir: string): Settings {
  const listener = `BROKER://${context.hosts.brokers[id - 1]}:${context.ports.brokers[id - 1]}`;
  return {
    ...(context.cluster === 'kraft' ? kraftSettings(context, id, listener) : zookeeperSettings(context, id, listener)),
    'advertised.listeners': listener,
    'inter.broker.listener.name': 'BROKER',
    'log.dirs': dataDir,

    // Topics are made from their definitions, never by a typing mistake.
    'auto.create.topics.enable': false,
    // A record counts as stored once two of three copies have it.
    'default.replication.factor': 3,
    'min.insync.replicas': 2,
    'offsets.topic.replication.factor': 3,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
    // A producer that dies in mid-transaction holds up readers of committed records for no longer than that.
    'transaction.max.timeout.ms': 60_000,
    'unclean.leader.election.enable': false,

    // A few groups live here: fewer partitions of the internal topics make starts and failovers quicker.
    'offsets.topic.num.partitions': 6,
    'transaction.state.log.num.partitions': 3,
    'group.initial.rebalance.delay.ms': 0,

    // Memory: the cleaner alone would take 128 MB; two cores need no eight threads for requests.
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
    'num.io.threads': 4,
    'num.network.threads': 2,
  };
}

/** Each node is broker and controller at once. */
function kraftSettings({ hosts, ports }: ServerContext, id: BrokerId, listener: string): Settings {
  const controller = (node: BrokerId): string => `${hosts.brokers[node - 1]}:${ports.controllers[node - 1]}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': brokerIds.map((voter) => `${voter}@${controller(voter)}`).join(','),
    listeners: `${listener},CONTROLLER://${controller(id)}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'share.coordinator.state.topic.replication.factor': 3,
    'share.coordinator.state.topic.min.isr': 2,
    'share.coordinator.state.topic.num.partitions': 3,
  };
}

/** Brokers elect one of them as controller, and find each other, through ZooKeeper. */
function zookeeperSettings(context: ServerContext, id: BrokerId, listener: string): Settings {
  return {
    'broker.id': id,
    'zookeeper.connect': zookeeperAddress(context),
    'zookeeper.session.timeout.ms': sessionTimeoutMs,
    // ZooKeeper may be starting again: waiting beats dying.
    'zookeeper.connection.timeout.ms': 30_000,
    listeners: listener,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT',
    // All brokers stop at once, so the last cannot hand over its partitions: the default waits 5 s between three tries.
    'controlled.shutdown.retry.backoff.ms': 500,
  };
}

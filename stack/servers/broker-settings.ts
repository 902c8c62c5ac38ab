import { readSettings } from './infra.ts';
import { properties } from './properties.ts';
import type { ServerContext } from './server.ts';
import { zookeeperAddress } from './zookeeper.ts';

export const brokerIds = [1, 2, 3] as const;
export type BrokerId = (typeof brokerIds)[number];

/** The settings of one broker: those of `infra/kafka` for its flavour of cluster, then its own number, addresses and folder. */
export function brokerSettings(context: ServerContext, id: BrokerId, dataDir: string): string {
  const { cluster, hosts, ports } = context;
  const listener = `BROKER://${hosts.brokers[id - 1]}:${ports.brokers[id - 1]}`;
  return [
    readSettings('kafka/broker.properties'),
    readSettings(`kafka/broker-${cluster}.properties`),
    properties({
      ...(cluster === 'kraft' ? ofNode(context, id, listener) : ofOlderBroker(context, id, listener)),
      'advertised.listeners': listener,
      'log.dirs': dataDir,
    }),
  ].join('');
}

function ofNode({ hosts, ports }: ServerContext, id: BrokerId, listener: string): Record<string, string | number> {
  const controller = (node: BrokerId): string => `${hosts.brokers[node - 1]}:${ports.controllers[node - 1]}`;
  return {
    'node.id': id,
    'controller.quorum.voters': brokerIds.map((voter) => `${voter}@${controller(voter)}`).join(','),
    listeners: `${listener},CONTROLLER://${controller(id)}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
  };
}

function ofOlderBroker(context: ServerContext, id: BrokerId, listener: string): Record<string, string | number> {
  return {
    'broker.id': id,
    'zookeeper.connect': zookeeperAddress(context),
    listeners: listener,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT',
  };
}

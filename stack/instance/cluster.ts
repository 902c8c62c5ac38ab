import { existsSync, readdirSync } from 'node:fs';
import { type Instance, stackCommand } from './instance.ts';

/**
 * `kraft`: Kafka 4 brokers that are their own controllers. `zookeeper`: Kafka 3.9 brokers around
 * one ZooKeeper.
 */
export const clusters = ['kraft', 'zookeeper'] as const;
export type Cluster = (typeof clusters)[number];

export const clusterTitles: Readonly<Record<Cluster, string>> = {
  kraft: 'KRaft',
  zookeeper: 'ZooKeeper',
};

/** The flavour whose data an instance holds; undefined while it holds none. */
export function readCluster({ dataDir }: Instance): Cluster | undefined {
  const names = existsSync(dataDir) ? readdirSync(dataDir) : [];
  // ZooKeeper's folder is made before those of its brokers.
  if (names.includes('zookeeper')) return 'zookeeper';
  return names.some((name) => name.startsWith('kafka-')) ? 'kraft' : undefined;
}

/**
 * The flavour asked for, else the one that the instance holds, else KRaft; throws when it holds
 * another.
 */
export function chooseCluster(instance: Instance, wanted?: Cluster): Cluster {
  const other = findOtherCluster(instance, wanted);
  if (other !== undefined) throw new Error(`${other.problem}: ${other.fix}.`);
  return wanted ?? readCluster(instance) ?? 'kraft';
}

/**
 * What is there and the three ways out, when an instance holds another flavour than the one asked
 * for.
 */
export function findOtherCluster(
  instance: Instance,
  wanted?: Cluster,
): { problem: string; fix: string } | undefined {
  const found = readCluster(instance);
  if (found === undefined || wanted === undefined || found === wanted) return undefined;
  return {
    problem:
      `The stack "${instance.name}" holds the data of a ${clusterTitles[found]} cluster, ` +
      `which a ${clusterTitles[wanted]} cluster cannot read`,
    fix:
      `say --cluster ${found} or leave it out, take another --instance for the other one, ` +
      `or delete the data with "${stackCommand('reset', instance)}"`,
  };
}

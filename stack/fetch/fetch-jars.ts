import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../instance/cluster.ts';
import type { Say } from './cache.ts';
import { readImageVersion } from './read-image-version.ts';
import { fetchMavenFolder, findMavenFolder, type MavenFolder } from './maven-folder.ts';

/** What Maven fetched: class paths of the servers, and the folder of Connect's plugins. */
export interface Jars {
  /** Of the brokers, and of ZooKeeper where there is one. */
  readonly brokers: readonly string[];
  readonly connect: readonly string[];
  readonly plugins: string;
  readonly registry: readonly string[];
}

const quarkusJars = ['registry/quarkus/transformed-bytecode.jar', 'registry/quarkus/generated-bytecode.jar'];

const everyFlavour: MavenFolder = {
  prefix: 'jars',
  pom: 'pom.xml',
  versions: {
    'kafka.version': readImageVersion('docker-compose.yml', 'apache/kafka'),
    'debezium.version': readImageVersion('docker-compose.yml', 'quay.io/debezium/connect'),
    'apicurio.version': readImageVersion('docker-compose.yml', 'apicurio/apicurio-registry'),
  },
  goals: ['copy-dependencies@kafka', 'unpack-dependencies@debezium', 'unpack-dependencies@apicurio'],
  what: 'Kafka, Connect, Debezium and the registry: fetching about 250 MB',
  holds: ['kafka', 'plugins/debezium-connector-mysql', ...quarkusJars],
};

const olderBrokers: MavenFolder = {
  prefix: 'jars-zookeeper',
  pom: 'pom.zookeeper.xml',
  versions: { 'kafka.version': readImageVersion('docker-compose.zookeeper.yml', 'apache/kafka') },
  goals: ['copy-dependencies@kafka'],
  what: 'ZooKeeper and the Kafka that runs with it: fetching about 45 MB',
  holds: ['kafka'],
};

export function findJars(cluster: Cluster): Jars | undefined {
  const folder = findMavenFolder(everyFlavour);
  const brokers = cluster === 'zookeeper' ? findMavenFolder(olderBrokers) : folder;
  return folder === undefined || brokers === undefined ? undefined : describe(folder, brokers);
}

/** Fetches what the flavour needs and is not there yet. */
export async function fetchJars(cluster: Cluster, say: Say, signal?: AbortSignal): Promise<Jars> {
  const folder = await fetchMavenFolder(everyFlavour, say, signal);
  return describe(folder, cluster === 'zookeeper' ? await fetchMavenFolder(olderBrokers, say, signal) : folder);
}

// Sorted and spelled out: an AOT cache fits one exact class path.
function describe(folder: string, brokers: string): Jars {
  const jarsIn = (path: string): string[] =>
    readdirSync(path)
      .filter((file) => file.endsWith('.jar'))
      .toSorted()
      .map((file) => join(path, file));
  return {
    brokers: jarsIn(join(brokers, 'kafka')),
    connect: jarsIn(join(folder, 'kafka')),
    plugins: join(folder, 'plugins'),
    registry: [
      // Transformed classes stand in for those of the same name further on.
      ...quarkusJars.map((jar) => join(folder, jar)),
      ...['app', 'lib/boot', 'lib/main'].flatMap((path) => jarsIn(join(folder, 'registry', path))),
    ],
  };
}

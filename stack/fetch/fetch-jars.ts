import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkout, type Cluster } from '../instance/instance.ts';
import { findOnPath, runCommand } from '../run/run-command.ts';
import { cacheFolder, ensureCached, findCached, type Say } from './cache.ts';

/** What Maven fetched: class paths of the servers, and the folder of Connect's plugins. */
export interface Jars {
  /** Of the brokers, and of ZooKeeper where there is one. */
  readonly brokers: readonly string[];
  readonly connect: readonly string[];
  readonly plugins: string;
  readonly registry: readonly string[];
}

/** A cached folder that Maven fills from a project file of ours. */
interface MavenFolder {
  readonly prefix: string;
  /** In `infra/maven`; it leaves the versions of the servers open. */
  readonly pom: string;
  /** Of the servers, by the names of Maven's properties. */
  readonly versions: Readonly<Record<string, string>>;
  /** Goals of Maven's dependency plugin. */
  readonly goals: readonly string[];
  /** What is fetched, for the progress line. */
  readonly what: string;
  /** Paths that must be there in the end. */
  readonly holds: readonly string[];
}

const quarkusJars = [
  'registry/quarkus/transformed-bytecode.jar',
  'registry/quarkus/generated-bytecode.jar',
];

const everyFlavour: MavenFolder = {
  prefix: 'jars',
  pom: 'pom.xml',
  versions: {
    'kafka.version': readImageVersion('docker-compose.yml', 'apache/kafka'),
    'debezium.version': readImageVersion('docker-compose.yml', 'quay.io/debezium/connect'),
    'apicurio.version': readImageVersion('docker-compose.yml', 'apicurio/apicurio-registry'),
  },
  goals: [
    'copy-dependencies@kafka',
    'unpack-dependencies@debezium',
    'unpack-dependencies@apicurio',
  ],
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

/** The jars of a flavour in the cache; undefined until all are fetched. */
export function findJars(cluster: Cluster): Jars | undefined {
  const folder = findCached(nameOf(everyFlavour));
  const brokers = cluster === 'zookeeper' ? findCached(nameOf(olderBrokers)) : folder;
  return folder === undefined || brokers === undefined ? undefined : describe(folder, brokers);
}

/** Fetches what the flavour needs and is not there yet. */
export async function fetchJars(cluster: Cluster, say: Say, signal?: AbortSignal): Promise<Jars> {
  const folder = await fetchMavenFolder(everyFlavour, say, signal);
  return describe(
    folder,
    cluster === 'zookeeper' ? await fetchMavenFolder(olderBrokers, say, signal) : folder,
  );
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

const pomOf = ({ pom }: MavenFolder): string => resolve(checkout, 'infra/maven', pom);

function nameOf(folder: MavenFolder): string {
  const hash = createHash('sha256')
    .update(readFileSync(pomOf(folder), 'utf8') + options(folder).join(' '))
    .digest('hex');
  return `${folder.prefix}-${hash.slice(0, 12)}`;
}

const options = ({ versions }: MavenFolder): string[] =>
  Object.entries(versions).map(([name, version]) => `-D${name}=${version}`);

/** Fetches what the project file names, once for each version of that file. */
function fetchMavenFolder(folder: MavenFolder, say: Say, signal?: AbortSignal): Promise<string> {
  return ensureCached(nameOf(folder), say, async (target) => {
    const mvn = findOnPath('mvn');
    if (mvn === undefined) throw new Error('Maven (mvn) is not on PATH: install it first.');
    const logFile = join(cacheFolder(), `${folder.prefix}.log`);
    say(`${folder.what} with Maven`);
    const ticker = setInterval(() => say(`Maven: ${lastDownload(logFile)}`), 5000);
    try {
      await runCommand(
        {
          file: mvn,
          // As for the servers: else it cannot read a project file below a folder with characters
          // of other alphabets.
          env: { LC_ALL: 'C.UTF-8' },
          args: [
            '-B',
            // A file whose checksum does not fit fails the build.
            '-C',
            '-f',
            pomOf(folder),
            `-Dtarget=${target}`,
            ...options(folder),
            ...folder.goals.map((goal) => `dependency:${goal}`),
          ],
        },
        { logFile, signal },
      );
    } finally {
      clearInterval(ticker);
    }
    const missing = folder.holds
      .map((path) => join(target, path))
      .find((path) => !existsSync(path));
    if (missing !== undefined) throw new Error(`Maven ended well, but ${missing} is missing.`);
    return { pom: folder.pom };
  });
}

function lastDownload(logFile: string): string {
  if (!existsSync(logFile)) return 'starting';
  const files = [...readFileSync(logFile, 'utf8').matchAll(/Downloaded from .*\/(\S+) \((.*)\)/g)];
  const last = files.at(-1);
  return last === undefined
    ? 'reading project files'
    : `${files.length} files, latest ${last[1]} (${last[2]})`;
}

/** The version of an image in a compose file: the native servers are fetched in the same one. */
export function readImageVersion(file: string, image: string): string {
  const text = readFileSync(resolve(checkout, file), 'utf8');
  const version = [...text.matchAll(/ (\S+):(\d\S*)$/gm)].find(([, name]) => name === image)?.[2];
  if (version === undefined) throw new Error(`${file} has no image ${image}`);
  return version;
}

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** One stack with ports, data and passwords of its own; several may run side by side. */
export interface Instance {
  readonly name: string;
  readonly folder: string;
  readonly dataDir: string;
  readonly logDir: string;
  readonly runDir: string;
  readonly configDir: string;
}

/** The root folder of this checkout. */
export const checkout = resolve(import.meta.dirname, '../..');
/** The folder of all instances. */
export const instancesFolder = resolve(checkout, '.stack');

/** Names the folders of an instance; creates nothing. */
export function locateInstance(name: string, parent: string = instancesFolder): Instance {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new Error(
      `"${name}" cannot name an instance: use 1 to 32 of a-z, 0-9 and "-", not "-" first.`,
    );
  }
  const folder = resolve(parent, name);
  return {
    name,
    folder,
    dataDir: resolve(folder, 'data'),
    logDir: resolve(folder, 'log'),
    runDir: resolve(folder, 'run'),
    configDir: resolve(folder, 'config'),
  };
}

/** Safe to call again. */
export function makeFolders(instance: Instance): void {
  for (const folder of [instance.dataDir, instance.logDir, instance.runDir, instance.configDir]) {
    // The configuration files carry passwords.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}

/**
 * Deletes the data, logs and passwords of an instance that does not run; its ports stay remembered.
 */
export function clearInstance(instance: Instance): void {
  const { dataDir, logDir, runDir, configDir, folder } = instance;
  for (const path of [dataDir, logDir, runDir, configDir, resolve(folder, 'secrets.json')]) {
    rmSync(path, { recursive: true, force: true });
  }
  makeFolders(instance);
}

/** The command that starts this instance in the foreground, as one types it. */
export function startCommand({ name }: Pick<Instance, 'name'>, ...options: string[]): string {
  const all = [...(name === 'main' ? [] : ['--instance', name]), ...options];
  return all.length === 0 ? 'npm start' : `npm start -- ${all.join(' ')}`;
}

/** A command of the launcher as one types it for this instance. */
export function stackCommand(command: string, { name }: Pick<Instance, 'name'>): string {
  return `npm run stack -- ${command}${name === 'main' ? '' : ` --instance ${name}`}`;
}

/**
 * Replaces a file in one step, readable by its owner only: a reader sees the old text or the new
 * one.
 */
export function writeFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

/**
 * `kraft`: Kafka 4 brokers that are their own controllers. `zookeeper`: Kafka 3.9 brokers around
 * one ZooKeeper.
 */
export const clusters = ['kraft', 'zookeeper'] as const;
export type Cluster = (typeof clusters)[number];

/** Names of the flavours as messages show them. */
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

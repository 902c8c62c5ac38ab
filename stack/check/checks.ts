import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { cacheFolder } from '../fetch/cache.ts';
import { findJars } from '../fetch/fetch-jars.ts';
import { findSystemJava, hasFetchedJava } from '../fetch/find-java.ts';
import { findSystemMysqld, hasFetchedMysqld } from '../fetch/find-mysqld.ts';
import { privateRootProblem } from '../fetch/private-root.ts';
import { findOnPath, isHermetic } from '../fetch/read-system.ts';
import { type Cluster, clusterTitles, describeOtherCluster, readCluster } from '../instance/cluster.ts';
import { type Instance, instancesFolder } from '../instance/instance.ts';

/** One thing that the stack needs; `fix` is the command or step that mends it. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'missing';
  readonly detail: string;
  readonly fix?: string;
}

const gib = 1024 ** 3;
const ok = (name: string, detail: string): Finding => ({ name, status: 'ok', detail });
const missing = (name: string, detail: string, fix: string): Finding => ({
  name,
  status: 'missing',
  detail,
  fix,
});

export function checkPlatform(platform = process.platform, arch: string = process.arch): Finding {
  return platform === 'linux' && (arch === 'x64' || arch === 'arm64')
    ? ok('platform', `${platform} ${arch}`)
    : missing('platform', `${platform} ${arch} is not supported`, 'use Linux on x64 or arm64, or the containers');
}

export function checkNode(): Finding {
  return ok('Node', `${process.version} (from the locked packages)`);
}

export function checkNpm(): Finding {
  const npm = findOnPath('npm');
  return npm === undefined ? missing('npm', 'not on PATH', installCommand('npm')) : ok('npm', npm);
}

export async function checkJava(): Promise<Finding> {
  const java = isHermetic() ? undefined : await findSystemJava();
  if (java !== undefined) return ok('Java', `${java.version.text} at ${java.command[0]}`);
  if (hasFetchedJava()) return ok('Java', 'fetched, in the cache');
  const problem = privateRootProblem();
  return problem === undefined
    ? ok('Java', 'none from 21 on here: it will be fetched')
    : missing('Java', `none from 21 on here, and ${problem}`, 'install a JRE 25 and set JAVA_HOME to it');
}

export function checkMaven(cluster: Cluster): Finding {
  if (findJars(cluster) !== undefined) return ok('Maven', 'not needed: everything is fetched');
  const mvn = findOnPath('mvn');
  return mvn === undefined ? missing('Maven', 'mvn is not on PATH', installCommand('maven')) : ok('Maven', mvn);
}

export async function checkMysqld(): Promise<Finding> {
  const mysqld = isHermetic() ? undefined : await findSystemMysqld();
  if (mysqld !== undefined) return ok('MySQL', `${mysqld.version.text} at ${mysqld.command[0]}`);
  if (hasFetchedMysqld()) return ok('MySQL', 'fetched, in the cache');
  const problem = privateRootProblem();
  return problem === undefined
    ? ok('MySQL', 'no mysqld 8.4 or 9.x on PATH: it will be fetched')
    : missing(
        'MySQL',
        `no mysqld 8.4 or 9.x on PATH, and ${problem}`,
        'install MySQL server 8.4 or 9.x so that mysqld is on PATH',
      );
}

export function checkDisk(cluster: Cluster): Finding {
  const places = [
    { what: 'the cache', folder: cacheFolder(), needGib: findJars(cluster) === undefined ? 2.5 : 0.2 },
    { what: 'data and logs', folder: instancesFolder, needGib: 1.5 },
  ];
  for (const { what, folder, needGib } of places) {
    const free = freeBytes(folder) / gib;
    if (free < needGib) {
      return missing(
        'disk',
        `${free.toFixed(1)} GiB free at ${folder} for ${what}, ${needGib} needed`,
        `free some space there ("du -xh ${nearest(folder)} | sort -h | tail" shows what fills it)`,
      );
    }
  }
  return ok('disk', `${(freeBytes(instancesFolder) / gib).toFixed(1)} GiB free`);
}

export function checkMemory(meminfo = readFileSync('/proc/meminfo', 'utf8')): Finding {
  const available = (Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1] ?? 0) * 1024) / gib;
  return available >= 2.6
    ? ok('memory', `${available.toFixed(1)} GiB available`)
    : missing(
        'memory',
        `${available.toFixed(1)} GiB available, 2.6 needed`,
        'stop other programs ("ps aux --sort=-rss | head")',
      );
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(nearest(folder));
  return bavail * bsize;
}

/** The folder itself or the closest one above it that exists. */
function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder));
}

function installCommand(debianPackage: string): string {
  return findOnPath('apt-get') === undefined
    ? `install ${debianPackage} with your system's package manager`
    : `sudo apt-get install -y ${debianPackage}`;
}

/** Whether the downloads are there; never missing, since a start fetches them. */
export function checkCache(cluster: Cluster): Finding {
  const detail =
    findJars(cluster) === undefined
      ? `empty: the next start fetches about 250 MB ("npm run stack -- fetch" does it ahead)`
      : cacheFolder();
  return { name: 'downloads', status: 'ok', detail };
}

/** The cluster's flavour: free to choose, or fixed by the data of the instance. */
export function checkCluster(instance: Instance, wanted: Cluster | undefined): Finding {
  const found = readCluster(instance);
  if (found !== undefined && wanted !== undefined && found !== wanted) {
    const { problem, fix } = describeOtherCluster(instance, found, wanted);
    return { name: 'cluster', status: 'missing', detail: problem, fix };
  }
  const detail =
    found === undefined
      ? `${clusterTitles[wanted ?? 'kraft']}, no data yet`
      : `${clusterTitles[found]}, as the data of "${instance.name}" has it`;
  return { name: 'cluster', status: 'ok', detail };
}

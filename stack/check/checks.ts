import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { cacheFolder } from '../fetch/cache.ts';
import { findJars } from '../fetch/fetch-jars.ts';
import {
  findOnMachine,
  isFetched,
  wantedJava,
  wantedMysqld,
  type Wanted,
} from '../fetch/find-programs.ts';
import { privateRootProblem } from '../fetch/private-root.ts';
import {
  clusterTitles,
  findOtherCluster,
  instancesFolder,
  readCluster,
  stackCommand,
  startCommand,
  type Cluster,
  type Instance,
} from '../instance/instance.ts';
import { findBusyPorts, listPorts, portsAt, readOffset, type Ports } from '../instance/ports.ts';
import { findOnPath } from '../run/run-command.ts';
import { readLiveState } from '../run/stack-state.ts';

/** One thing that the stack needs; `fix` is the command or step that repairs it. */
interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'missing';
  readonly detail: string;
  readonly fix?: string;
}

const ok = (name: string, detail: string): Finding => ({ name, status: 'ok', detail });
const missing = (name: string, detail: string, fix: string): Finding => ({
  name,
  status: 'missing',
  detail,
  fix,
});

/** Everything that a start needs, as `doctor` shows it. */
export async function checkAll(
  instance: Instance,
  wanted: Cluster | undefined,
): Promise<Finding[]> {
  const cluster = wanted ?? readCluster(instance) ?? 'kraft';
  return [
    ...(await checkMachine(cluster)),
    checkFolders(instance),
    checkCluster(instance, wanted),
    await checkPorts(instance, cluster),
    checkCache(cluster),
  ];
}

/**
 * Throws one sentence for each thing missing, with the way out; nothing has been started or fetched
 * by then.
 */
export async function refuseWhatIsMissing(cluster: Cluster): Promise<void> {
  refuse(await checkMachine(cluster));
}

/**
 * Throws when a server could not use the folders of the instance or of the downloads; call it
 * before anything is written there.
 */
export function refuseFolders(instance: Pick<Instance, 'folder'>): void {
  refuse([checkFolders(instance)]);
}

function refuse(findings: readonly Finding[]): void {
  const problems = findings.filter(({ status }) => status === 'missing');
  if (problems.length === 0) return;
  throw new Error(
    problems.map(({ name, detail, fix }) => `${name}: ${detail}; ${fix}.`).join('\n'),
  );
}

/** Throws one sentence when a port of the flavour is in use; checks all before anything starts. */
export async function refuseBusyPorts(
  instance: Instance,
  ports: Ports,
  cluster: Cluster,
): Promise<void> {
  const problem = await portsProblem(ports, cluster);
  if (problem === undefined) return;
  const command = startCommand(instance, '--port-offset', 'auto');
  const back =
    instance.name === 'main' ? 'until "--port-offset 0" takes it back' : 'for its next starts';
  throw new Error(
    `${problem}, or start on other ports with "${command}", which is remembered ${back}.`,
  );
}

/** The instance's ports: free, or in use by the instance itself. */
async function checkPorts(instance: Instance, cluster: Cluster): Promise<Finding> {
  if (readLiveState(instance) !== undefined)
    return ok('ports', `used by the stack "${instance.name}", which runs`);
  const ports = portsAt(readOffset(instance.folder) ?? 0);
  const problem = await portsProblem(ports, cluster);
  return problem === undefined
    ? ok('ports', `all ${listPorts(ports, cluster).length} are free`)
    : missing(
        'ports',
        `${problem}, or move the stack`,
        stackCommand('up --port-offset auto', instance),
      );
}

/** Which ports are in use, and the first way out. */
async function portsProblem(ports: Ports, cluster: Cluster): Promise<string | undefined> {
  const listed = listPorts(ports, cluster);
  const busy = await findBusyPorts(listed.map(({ port }) => port));
  if (busy.length === 0) return undefined;
  const taken = listed.filter(({ port }) => busy.includes(port));
  const names = taken.map(({ port, owner }) => `${port} (for ${owner})`).join(', ');
  const [noun, verb, it] = taken.length === 1 ? ['Port', 'is', 'it'] : ['Ports', 'are', 'them'];
  return `${noun} ${names} ${verb} in use: stop what uses ${it} ("ss -ltnp" tells)`;
}

/** Everything that a start needs from the machine, ports left out. */
async function checkMachine(cluster: Cluster): Promise<Finding[]> {
  const [java, mysqld] = await Promise.all([
    checkProgram(
      'Java',
      wantedJava,
      'none from 21 on here',
      'install a JRE 25 and set JAVA_HOME to it',
    ),
    checkProgram(
      'MySQL',
      wantedMysqld,
      'no mysqld 8.4 or 9.x on PATH',
      'install MySQL server 8.4 or 9.x so that mysqld is on PATH',
    ),
  ]);
  return [
    // `launch.mjs` refuses every other platform, and runs this with the locked Node.
    ok('platform', `${process.platform} ${process.arch}`),
    ok('Node', `${process.version} (from the locked packages)`),
    checkOnPath('npm', 'npm', 'not on PATH', 'npm'),
    java,
    findJars(cluster) === undefined
      ? checkOnPath('Maven', 'mvn', 'mvn is not on PATH', 'maven')
      : ok('Maven', 'not needed: everything is fetched'),
    mysqld,
    checkDisk(cluster),
    checkMemory(),
  ];
}

/** On this machine, in the cache, or to be fetched. */
async function checkProgram(
  name: string,
  wanted: Wanted,
  none: string,
  fix: string,
): Promise<Finding> {
  const own = await findOnMachine(wanted);
  if (own !== undefined) return ok(name, `${own.version.text} at ${own.command[0]}`);
  if (isFetched(wanted)) return ok(name, 'fetched, in the cache');
  const problem = privateRootProblem();
  return problem === undefined
    ? ok(name, `${none}: it will be fetched`)
    : missing(name, `${none}, and ${problem}`, fix);
}

function checkOnPath(
  name: string,
  program: string,
  problem: string,
  debianPackage: string,
): Finding {
  const file = findOnPath(program);
  if (file !== undefined) return ok(name, file);
  const fix =
    findOnPath('apt-get') === undefined
      ? `install ${debianPackage} with your system's package manager`
      : `sudo apt-get install -y ${debianPackage}`;
  return missing(name, problem, fix);
}

const gib = 1024 ** 3;

/** Whether the cache and the data have enough free space. */
export function checkDisk(cluster: Cluster): Finding {
  const places = [
    {
      what: 'the cache',
      folder: cacheFolder(),
      needGib: findJars(cluster) === undefined ? 2.5 : 0.2,
    },
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

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(nearest(folder));
  return bavail * bsize;
}

/** The folder itself or the closest one above it that exists. */
function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder));
}

function checkMemory(): Finding {
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const available = (Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1] ?? 0) * 1024) / gib;
  const detail = `${available.toFixed(1)} GiB available`;
  return available >= 2.6
    ? ok('memory', detail)
    : missing(
        'memory',
        `${detail}, 2.6 needed`,
        'stop other programs ("ps aux --sort=-rss | head")',
      );
}

/** Whether the downloads are there; never missing, since a start fetches them. */
function checkCache(cluster: Cluster): Finding {
  const isEmpty = findJars(cluster) === undefined;
  const ahead = 'the next start fetches about 250 MB ("npm run stack -- fetch" does it ahead)';
  return ok('downloads', isEmpty ? `empty: ${ahead}` : cacheFolder());
}

/** The cluster's flavour: free to choose, or fixed by the data of the instance. */
function checkCluster(instance: Instance, wanted: Cluster | undefined): Finding {
  const other = findOtherCluster(instance, wanted);
  if (other !== undefined) return missing('cluster', other.problem, other.fix);
  const found = readCluster(instance);
  return found === undefined
    ? ok('cluster', `${clusterTitles[wanted ?? 'kraft']}, no data yet`)
    : ok('cluster', `${clusterTitles[found]}, as the data of "${instance.name}" has it`);
}

interface Rule {
  readonly pattern: RegExp;
  readonly reason: string;
}

const controlCharacters: Rule = {
  // oxlint-disable-next-line no-control-regex
  pattern: /[\u0000-\u001f\u007f]/,
  reason: 'a control character in it would end a line of a settings file',
};
/** Everything else works: characters of any alphabet, spaces, "#", "%", quotes, "\". */
const ofData: readonly Rule[] = [
  { pattern: /,/, reason: 'Kafka takes "," for the end of a data folder' },
  controlCharacters,
];
const ofPrograms: readonly Rule[] = [
  { pattern: /,/, reason: 'Connect takes "," for the end of a plugin folder' },
  { pattern: /[:;]/, reason: 'Java takes ":" and the loader ":" and ";" for the end of a path' },
  controlCharacters,
];
/**
 * MySQL keeps a path in 512 bytes: with 460 it still made its data folder and tables of the longest
 * names, with 490 it did not.
 */
const maxBytes = 450;

/** Whether every server can use the folders' names; checks nothing but them. */
export function checkFolders(
  { folder }: Pick<Instance, 'folder'>,
  cache: string = cacheFolder(),
): Finding {
  return (
    checkFolder(folder, ofData, 'move the checkout to another folder') ??
    checkFolder(cache, ofPrograms, 'set XDG_CACHE_HOME to another folder') ??
    ok('folders', `${folder}, ${cache}`)
  );
}

function checkFolder(folder: string, rules: readonly Rule[], fix: string): Finding | undefined {
  const bytes = Buffer.byteLength(folder);
  const reason =
    bytes > maxBytes
      ? `its path has ${bytes} bytes, and MySQL's paths may have no more than ${maxBytes}`
      : rules.find(({ pattern }) => pattern.test(folder))?.reason;
  if (reason === undefined) return undefined;
  return missing('folders', `${JSON.stringify(folder)} cannot be used: ${reason}`, fix);
}

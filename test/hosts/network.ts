import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { waitUntil } from '@board/test';
import type { Command } from '../../stack/run/run-command.ts';

const hostNames = [
  'kafka-1',
  'kafka-2',
  'kafka-3',
  'connect',
  'mysql',
  'services-a',
  'services-b',
  'operator',
] as const;
export type HostName = (typeof hostNames)[number];

/** How a host is cut off from all others. */
type Cut =
  /** Its cable is pulled: a caller gets an error at once. */
  | 'down'
  /** Packets vanish both ways, connections stay open, no side gets an error. */
  | 'silent'
  /** Only what is sent to it vanishes; what it sends arrives. */
  | 'deaf';

/**
 * Hosts as network namespaces, each on a subnet of its own behind one router; nothing of it is in
 * the machine's own namespace.
 */
export interface Network {
  readonly folder: string;
  readonly hosts: readonly HostName[];
  address(host: HostName): string;
  /** The command, run on that host. */
  on(host: HostName, command: Command): Command;
  /** Cuts one host off; resolves with a function that restores it. */
  cut(host: HostName, how: Cut): Promise<() => Promise<void>>;
  /** The addresses at which the host's processes listen. */
  listening(host: HostName): Promise<string[]>;
  /** Kills every process on the hosts, then removes them and the folder. */
  remove(): Promise<void>;
}

const prefix = 'board-hosts-';
const namespaces = '/run/netns';
const run = promisify(execFile);
const ip = (...args: string[]): Promise<unknown> => run('ip', args);

/** Of the benchmarking range (RFC 2544), which no real network uses. */
export const allHosts = { prefix: '198.18.0.0/16', netmask: '198.18.0.0/255.255.0.0' } as const;

/** Why no network can be made here: the command and its error; undefined when it can. */
export async function whyNoNetwork(): Promise<string | undefined> {
  const namespace = `${prefix}${process.pid}-probe`;
  try {
    await ip('netns', 'add', namespace);
    await ip('-n', namespace, 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'other');
    await run('nsenter', [`--net=${namespaces}/${namespace}`, 'ss', '-H']);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim().replaceAll('\n', ' ') : String(error);
  } finally {
    await ip('netns', 'del', namespace).catch(() => undefined);
  }
}

/** Makes the hosts, after the hosts that killed runs have left behind were removed. */
export async function createNetwork(): Promise<Network> {
  for (const owner of listOwners())
    if (!existsSync(`/proc/${owner}`)) await openNetwork(owner).remove();
  const network = openNetwork(process.pid);
  try {
    mkdirSync(network.folder, { mode: 0o700 });
    startRemover();
    const router = nameOf(process.pid, 'router');
    await ip('netns', 'add', router);
    await run('nsenter', [
      `--net=${namespaces}/${router}`,
      'sh',
      '-c',
      'echo 1 > /proc/sys/net/ipv4/ip_forward',
    ]);
    for (const host of hostNames) await addHost(network, host, router);
    return network;
  } catch (error) {
    await network.remove();
    throw error;
  }
}

async function addHost(network: Network, host: HostName, router: string): Promise<void> {
  const namespace = nameOf(process.pid, host);
  const address = network.address(host);
  const gateway = address.replace(/\d+$/, '1');
  await ip('netns', 'add', namespace);
  await ip(
    '-n',
    router,
    'link',
    'add',
    linkTo(host),
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    namespace,
  );
  await ip('-n', router, 'address', 'add', `${gateway}/24`, 'dev', linkTo(host));
  await ip('-n', router, 'link', 'set', linkTo(host), 'up');
  await ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  // No default route: any other address is unreachable at once.
  await ip('-n', namespace, 'route', 'add', allHosts.prefix, 'via', gateway);
}

function startRemover(): void {
  const file = resolve(import.meta.dirname, 'remove-when-orphaned.ts');
  // In a group of its own, so that Ctrl-C leaves it alive.
  spawn(process.execPath, [file, String(process.pid)], { detached: true, stdio: 'ignore' }).unref();
}

/** The network that process `owner` has made. */
export function openNetwork(owner: number): Network {
  const router = nameOf(owner, 'router');
  const address = (host: HostName): string => `198.18.${hostNames.indexOf(host) + 1}.2`;
  return {
    folder: join(tmpdir(), `${prefix}${owner}`),
    hosts: hostNames,
    address,
    on: (host, command) => ({
      ...command,
      file: 'nsenter',
      args: [`--net=${namespaces}/${nameOf(owner, host)}`, '--', command.file, ...command.args],
    }),
    async cut(host, how) {
      if (how === 'down') {
        await ip('-n', router, 'link', 'set', linkTo(host), 'down');
        return async () => void (await ip('-n', router, 'link', 'set', linkTo(host), 'up'));
      }
      const change = async (verb: 'add' | 'del'): Promise<void> => {
        await ip('-n', router, 'route', verb, 'blackhole', `${address(host)}/32`);
        if (how === 'silent')
          await ip('-n', router, 'rule', verb, 'from', address(host), 'blackhole');
      };
      await change('add');
      return () => change('del');
    },
    async listening(host) {
      const { stdout } = await run('nsenter', [
        `--net=${namespaces}/${nameOf(owner, host)}`,
        'ss',
        '-Hlntu',
      ]);
      const addresses = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (line.split(/\s+/)[4] ?? line).replace(/:\d+$/, ''));
      return [...new Set(addresses)].toSorted();
    },
    async remove() {
      const own = listNamespaces().filter((name) => ownerOf(name) === owner);
      // The operator's first: the launcher there would start the servers again.
      const rank = (name: string): number => (name === nameOf(owner, 'operator') ? 0 : 1);
      for (const namespace of own.toSorted((one, other) => rank(one) - rank(other))) {
        const isGone = (): boolean => !listNamespaces().includes(namespace);
        await waitUntil(`${namespace} empty`, async () => {
          // The remover process removes them too.
          if (isGone()) return true;
          const { stdout } = await run('ip', ['netns', 'pids', namespace]);
          const pids = stdout.split('\n').filter((line) => line !== '');
          for (const pid of pids) kill(Number(pid));
          return pids.length === 0;
        });
        await ip('netns', 'del', namespace).catch((error: unknown) => {
          if (!isGone()) throw error;
        });
      }
      rmSync(join(tmpdir(), `${prefix}${owner}`), { recursive: true, force: true });
    },
  };
}

function nameOf(owner: number, host: string): string {
  return `${prefix}${owner}-${host}`;
}

function linkTo(host: HostName): string {
  return `to-${host}`;
}

function listNamespaces(): string[] {
  return existsSync(namespaces) ? readdirSync(namespaces) : [];
}

function ownerOf(name: string): number | undefined {
  const pid = new RegExp(`^${prefix}(\\d+)(-|$)`).exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function listOwners(): Set<number> {
  const owners = [...listNamespaces(), ...readdirSync(tmpdir())].map(ownerOf);
  return new Set(owners.filter((owner) => owner !== undefined));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

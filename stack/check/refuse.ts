import type { Cluster } from '../instance/cluster.ts';
import { type Instance, startCommand } from '../instance/instance.ts';
import { findBusyPorts, listPorts, type Ports } from '../instance/ports.ts';
import { checkFolders } from './check-folders.ts';
import {
  checkDisk,
  checkJava,
  checkMaven,
  checkMemory,
  checkMysqld,
  checkNode,
  checkNpm,
  checkPlatform,
  type Finding,
} from './checks.ts';

/** Everything that a start needs from the machine, ports left out. */
export async function checkMachine(cluster: Cluster): Promise<Finding[]> {
  const [java, mysqld] = await Promise.all([checkJava(), checkMysqld()]);
  return [
    checkPlatform(),
    checkNode(),
    checkNpm(),
    java,
    checkMaven(cluster),
    mysqld,
    checkDisk(cluster),
    checkMemory(),
  ];
}

/** Throws one sentence for each thing missing, with the way out; nothing has been started or fetched by then. */
export async function refuseWhatIsMissing(cluster: Cluster): Promise<void> {
  refuse(await checkMachine(cluster));
}

/** Throws when a server could not use the folders of the instance or of the downloads; call it before anything is written there. */
export function refuseFolders(instance: Pick<Instance, 'folder'>): void {
  refuse([checkFolders(instance)]);
}

function refuse(findings: readonly Finding[]): void {
  const problems = findings.filter(({ status }) => status === 'missing');
  if (problems.length === 0) return;
  throw new Error(problems.map(({ name, detail, fix }) => `${name}: ${detail}; ${fix}.`).join('\n'));
}

/** Throws one sentence when a port of the flavour is in use; checks all before anything starts. */
export async function refuseBusyPorts(instance: Instance, ports: Ports, cluster: Cluster): Promise<void> {
  const listed = listPorts(ports, cluster);
  const busy = new Set(await findBusyPorts(listed.map(({ port }) => port)));
  const taken = listed.filter(({ port }) => busy.has(port));
  if (taken.length === 0) return;
  const command = startCommand(instance, '--port-offset', 'auto');
  const back = instance.name === 'main' ? 'until "--port-offset 0" takes it back' : 'for its next starts';
  throw new Error(
    `${describeBusyPorts(taken)}, or start on other ports with "${command}", which is remembered ${back}.`,
  );
}

/** What is so, and the first way out. */
export function describeBusyPorts(taken: readonly { port: number; owner: string }[]): string {
  const names = taken.map(({ port, owner }) => `${port} (for ${owner})`).join(', ');
  const [noun, verb, it] = taken.length === 1 ? ['Port', 'is', 'it'] : ['Ports', 'are', 'them'];
  return `${noun} ${names} ${verb} in use: stop what uses ${it} ("ss -ltnp" tells)`;
}

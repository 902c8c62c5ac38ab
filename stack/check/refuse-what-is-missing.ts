import type { Cluster } from '../instance/cluster.ts';
import type { Instance } from '../instance/instance.ts';
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

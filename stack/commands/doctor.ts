import { checkFolders } from '../check/check-folders.ts';
import { checkPorts } from '../check/check-ports.ts';
import { checkCache, checkCluster } from '../check/checks.ts';
import { checkMachine } from '../check/refuse.ts';
import { type Cluster, readCluster } from '../instance/cluster.ts';
import { locateInstance } from '../instance/instance.ts';

/** Prints each thing that the stack needs, and what mends those that are missing; exit code 1 when there are any. */
export async function doctor(
  name: string,
  wanted: Cluster | undefined,
  flags: { readonly json?: true },
): Promise<void> {
  const instance = locateInstance(name);
  const cluster = wanted ?? readCluster(instance) ?? 'kraft';
  const findings = [
    ...(await checkMachine(cluster)),
    checkFolders(instance),
    checkCluster(instance, wanted),
    await checkPorts(instance, cluster),
    checkCache(cluster),
  ];
  const missing = findings.filter(({ status }) => status === 'missing');
  process.exitCode = missing.length === 0 ? 0 : 1;
  if (flags.json === true) {
    console.log(JSON.stringify(findings, null, 2));
    return;
  }
  for (const { name: what, status, detail, fix } of findings) {
    console.log(`${status.padEnd(8)}${what.padEnd(10)}${detail}`);
    if (fix !== undefined) console.log(`${' '.repeat(18)}mend it: ${fix}`);
  }
}

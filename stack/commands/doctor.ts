import { checkAll } from '../check/checks.ts';
import type { Cluster } from '../instance/cluster.ts';
import { locateInstance } from '../instance/instance.ts';

/**
 * Prints each thing that the stack needs, and what mends those that are missing; exit code 1 when
 * there are any.
 */
export async function doctor(
  name: string,
  wanted: Cluster | undefined,
  flags: { json?: true },
): Promise<void> {
  const findings = await checkAll(locateInstance(name), wanted);
  process.exitCode = findings.some(({ status }) => status === 'missing') ? 1 : 0;
  if (flags.json === true) {
    console.log(JSON.stringify(findings, null, 2));
    return;
  }
  for (const { name: what, status, detail, fix } of findings) {
    console.log(`${status.padEnd(8)}${what.padEnd(10)}${detail}`);
    if (fix !== undefined) console.log(`${' '.repeat(18)}mend it: ${fix}`);
  }
}

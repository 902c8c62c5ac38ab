import { readCluster } from '../instance/cluster.ts';
import { locateInstance } from '../instance/instance.ts';
import { isAllRunning, measureMemory, readLiveState, readState } from '../run/stack-state.ts';
import { findOrphans } from '../run/stop-orphans.ts';
import { renderStack } from './render.ts';

/** Prints what runs; exit code 1 unless everything runs. */
export async function status(name: string, flags: { json?: true }): Promise<void> {
  const instance = locateInstance(name);
  const state = readLiveState(instance);
  if (state === undefined || !isAllRunning(state)) process.exitCode = 1;
  if (flags.json === true) {
    const shown = state === undefined ? { phase: 'down' } : { ...state, memoryNowBytes: measureMemory(state) };
    console.log(JSON.stringify({ instance: name, cluster: readCluster(instance), ...shown }, null, 2));
    return;
  }
  if (state !== undefined) {
    console.log(renderStack(instance, state));
    return;
  }
  const problem = readState(instance)?.problem;
  console.log(`The stack "${name}" does not run.${problem === undefined ? '' : ` Last time: ${problem}`}`);
  const orphans = findOrphans(instance);
  if (orphans.length > 0)
    console.log(
      `${orphans.length} of its processes were left behind by a killed launcher: the next start, or "down", stops them.`,
    );
}

import type { Cluster } from '../instance/cluster.ts';
import { type Instance, stackCommand } from '../instance/instance.ts';
import { findBusyPorts, listPorts, portsAt, readOffset } from '../instance/ports.ts';
import { readLiveState } from '../run/stack-state.ts';
import type { Finding } from './checks.ts';
import { describeBusyPorts } from './refuse.ts';

/** The instance's ports: free, or in use by the instance itself. */
export async function checkPorts(instance: Instance, cluster: Cluster): Promise<Finding> {
  if (readLiveState(instance) !== undefined) {
    return { name: 'ports', status: 'ok', detail: `used by the stack "${instance.name}", which runs` };
  }
  const offset = readOffset(instance.folder) ?? 0;
  const listed = listPorts(portsAt(offset), cluster);
  const busy = await findBusyPorts(listed.map(({ port }) => port));
  const taken = listed.filter(({ port }) => busy.includes(port));
  return taken.length === 0
    ? { name: 'ports', status: 'ok', detail: `all ${listed.length} are free` }
    : {
        name: 'ports',
        status: 'missing',
        detail: `${describeBusyPorts(taken)}, or move the stack`,
        fix: stackCommand('up --port-offset auto', instance),
      };
}

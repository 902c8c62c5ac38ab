import type { Cluster } from '../instance/cluster.ts';
import { findBusyPorts } from '../instance/find-busy-ports.ts';
import { listPorts, type Ports } from '../instance/ports.ts';

/** Throws one sentence when somebody listens on a port of the flavour; checks all before anything starts. */
export async function refuseBusyPorts(ports: Ports, cluster: Cluster): Promise<void> {
  const listed = listPorts(ports, cluster);
  const busy = new Set(await findBusyPorts(listed.map(({ port }) => port)));
  const taken = listed.filter(({ port }) => busy.has(port));
  if (taken.length === 0) return;
  throw new Error(describeBusyPorts(taken));
}

export function describeBusyPorts(taken: readonly { port: number; owner: string }[]): string {
  const names = taken.map(({ port, owner }) => `${port} (for ${owner})`).join(', ');
  const [noun, verb, it] = taken.length === 1 ? ['Port', 'is', 'it'] : ['Ports', 'are', 'them'];
  return `${noun} ${names} ${verb} in use: stop what uses ${it} ("ss -ltnp" tells), or start with --port-offset auto.`;
}

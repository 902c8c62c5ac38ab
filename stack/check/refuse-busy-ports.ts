import type { Cluster } from '../instance/cluster.ts';
import { findBusyPorts } from '../instance/find-busy-ports.ts';
import type { Instance } from '../instance/instance.ts';
import { listPorts, type Ports } from '../instance/ports.ts';
import { startCommand } from '../instance/stack-command.ts';

/** Throws one sentence when somebody listens on a port of the flavour; checks all before anything starts. */
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

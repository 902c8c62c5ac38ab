import { readMemory } from './read-memory.ts';
import type { StackState } from './stack-state.ts';

/** Sum of the proportional set sizes of all servers, services and the supervisor, in bytes. */
export function measureMemory(state: Pick<StackState, 'processes' | 'supervisor'>): number {
  const pids = [state.supervisor.pid, ...state.processes.map(({ pid }) => pid)];
  return pids.reduce<number>((sum, pid) => sum + (pid === undefined ? 0 : (readMemory(pid) ?? 0)), 0);
}

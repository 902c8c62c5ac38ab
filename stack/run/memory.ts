import { readFileSync } from 'node:fs';
import type { StackState } from './stack-state.ts';

/** Sum of the proportional set sizes of all servers, services and the supervisor, in bytes. */
export function measureMemory(state: Pick<StackState, 'processes' | 'supervisor'>): number {
  const pids = [state.supervisor.pid, ...state.processes.map(({ pid }) => pid)];
  return pids.reduce<number>((sum, pid) => sum + (pid === undefined ? 0 : (readMemory(pid) ?? 0)), 0);
}

/** Proportional set size in bytes: what a process has in memory, shared pages counted in parts. Undefined when it is gone. */
export function readMemory(pid: number): number | undefined {
  try {
    return parseMemory(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  } catch {
    // The process ended, or the system does not tell: no figure then, but no failure either.
    return undefined;
  }
}

export function parseMemory(rollup: string): number | undefined {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

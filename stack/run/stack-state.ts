import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isRunning } from '@board/service';
import { z } from 'zod';
import { type Instance, writeFile } from '../instance/instance.ts';

const identity = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  bootId: z.string(),
});

const schema = z.object({
  phase: z.enum(['starting', 'ready', 'stopping', 'stopped', 'failed']),
  /** The process that supervises: in the foreground with `start`, detached with `up`. */
  supervisor: identity,
  startedAt: z.string(),
  /** From the start to an answer from everything, downloads not counted. */
  readyMs: z.number().optional(),
  memory: z.object({ bytes: z.number(), at: z.string() }).optional(),
  problem: z.string().optional(),
  /** Each server and service, as `status` shows it. */
  processes: z.array(
    z.object({
      name: z.string(),
      /**
       * `running`: it has answered its probe. `gave-up`: it died too often in a row, and waits for
       * its next try.
       */
      phase: z.enum(['starting', 'running', 'restarting', 'stopped', 'gave-up']),
      pid: z.number().optional(),
      address: z.string(),
      logFile: z.string(),
      restarts: z.number(),
      /** Why it does not run, and when it is tried again. */
      problem: z.string().optional(),
    }),
  ),
  /**
   * What runs, tasks of the start too: from here `stopOrphans` knows it. What has the highest layer
   * is stopped first.
   */
  children: z.array(identity.extend({ name: z.string(), layer: z.number() })).default([]),
});

/** What a supervisor tells about its stack, in `run/state.json`. */
export type StackState = z.infer<typeof schema>;
export type ProcessState = StackState['processes'][number];
export type ChildProcess = StackState['children'][number];

const fileOf = (instance: Instance): string => resolve(instance.runDir, 'state.json');

export function writeState(instance: Instance, state: StackState): void {
  writeFile(fileOf(instance), `${JSON.stringify(state, null, 2)}\n`);
}

/** Whether the start was completed and every process does its work now. */
export function isAllRunning(state: StackState): boolean {
  return state.phase === 'ready' && state.processes.every(({ phase }) => phase === 'running');
}

/**
 * The last state written, by this process or an earlier one; undefined before the first start, and
 * when a crash of the machine cut it short.
 */
export function readState(instance: Instance): StackState | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(instance), 'utf8')));
  } catch {
    return undefined;
  }
}

/** The state of a stack whose supervisor lives. */
export function readLiveState(instance: Instance): StackState | undefined {
  const state = readState(instance);
  return state !== undefined && isRunning(state.supervisor) ? state : undefined;
}

/** Sum of the proportional set sizes of all servers, services and the supervisor, in bytes. */
export function measureMemory(state: Pick<StackState, 'processes' | 'supervisor'>): number {
  const pids = [state.supervisor.pid, ...state.processes.map(({ pid }) => pid)];
  return pids.reduce<number>(
    (sum, pid) => sum + (pid === undefined ? 0 : (readMemory(pid) ?? 0)),
    0,
  );
}

/**
 * Proportional set size in bytes: what a process has in memory, shared pages counted in parts.
 * Undefined when it is gone.
 */
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

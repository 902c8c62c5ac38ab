import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, signalProcess, type ProcessIdentity } from '@board/service';
import { z } from 'zod';
import { writeFile, type Instance } from '../instance/instance.ts';

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
       * `running`: it has answered its probe. `keeps-failing`: it died too often in a row, and
       * waits for its next try.
       */
      phase: z
        .enum(['starting', 'running', 'restarting', 'stopped', 'keeps-failing'])
        // As earlier versions have written it.
        .or(z.literal('gave-up').transform(() => 'keeps-failing' as const)),
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

/** What a supervisor writes about its stack, in `run/state.json`. */
export type StackState = z.infer<typeof schema>;
export type ProcessState = StackState['processes'][number];
export type ChildProcess = StackState['children'][number];

const fileOf = (instance: Instance): string => resolve(instance.runDir, 'state.json');

/** Replaces `run/state.json` in one step. */
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
    // The process ended, or the system gives no figure: undefined then, not a failure.
    return undefined;
  }
}

/** The PSS in `/proc/<pid>/smaps_rollup`, in bytes. */
export function parseMemory(rollup: string): number | undefined {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Groups that are stopped one after the other: the highest layer first. */
export function stopOrder<T extends { readonly layer: number }>(items: readonly T[]): T[][] {
  const layers = [...new Set(items.map(({ layer }) => layer))].toSorted((a, b) => b - a);
  return layers.map((layer) => items.filter((item) => item.layer === layer));
}

/**
 * What a killed launcher of this instance left running: a process is known by pid, start time and
 * boot.
 */
export function findOrphans(instance: Instance): ChildProcess[] {
  return readState(instance)?.children.filter(isRunning) ?? [];
}

/**
 * Stops them and returns their names. Call it with the instance's lock held, before a new start
 * writes its own state.
 */
export async function stopOrphans(
  instance: Instance,
  say: (line: string) => void,
  timeoutMs = 20_000,
): Promise<string[]> {
  const orphans = findOrphans(instance);
  for (const group of stopOrder(orphans)) {
    await Promise.all(
      group.map((orphan) => {
        say(`${orphan.name} (pid ${orphan.pid}) was left behind by an earlier start: stopping it`);
        return stopProcess(orphan, timeoutMs);
      }),
    );
  }
  return orphans.map(({ name }) => name);
}

/**
 * SIGTERM, then SIGKILL after the deadline; resolves when the process is gone. Says whether the
 * kill was needed.
 */
export async function stopProcess(
  identity: ProcessIdentity,
  timeoutMs: number,
): Promise<'stopped' | 'killed'> {
  signalProcess(identity, 'SIGTERM');
  if (await gone(identity, timeoutMs)) return 'stopped';
  signalProcess(identity, 'SIGKILL');
  await gone(identity, 10_000);
  return 'killed';
}

async function gone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; isRunning(identity);) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

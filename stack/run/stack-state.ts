import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isRunning } from '@board/service';
import { z } from 'zod';
import { type Instance, writeFile } from '../instance/instance.ts';

const schema = z.object({
  phase: z.enum(['starting', 'ready', 'stopping', 'stopped', 'failed']),
  /** The process that supervises: in the foreground with `start`, detached with `up`. */
  supervisor: z.object({ pid: z.number(), startTime: z.string(), bootId: z.string() }),
  startedAt: z.string(),
  /** From the start to an answer from everything, downloads not counted. */
  readyMs: z.number().optional(),
  memory: z.object({ bytes: z.number(), at: z.string() }).optional(),
  problem: z.string().optional(),
  processes: z.array(
    z.object({
      name: z.string(),
      phase: z.enum(['starting', 'running', 'restarting', 'stopped', 'gave-up']),
      pid: z.number().optional(),
      address: z.string(),
      logFile: z.string(),
      restarts: z.number(),
      problem: z.string().optional(),
    }),
  ),
});

/** What a supervisor tells about its stack, in `run/state.json`. */
export type StackState = z.infer<typeof schema>;

const fileOf = (instance: Instance): string => resolve(instance.runDir, 'state.json');

export function writeState(instance: Instance, state: StackState): void {
  writeFile(fileOf(instance), `${JSON.stringify(state, null, 2)}\n`);
}

/** Whether the start was completed and every process does its work now. */
export function isAllRunning(state: StackState): boolean {
  return state.phase === 'ready' && state.processes.every(({ phase }) => phase === 'running');
}

/** The last state written, whoever wrote it; undefined before the first start. */
export function readState(instance: Instance): StackState | undefined {
  const file = fileOf(instance);
  if (!existsSync(file)) return undefined;
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** The state of a stack whose supervisor lives. */
export function readLiveState(instance: Instance): StackState | undefined {
  const state = readState(instance);
  return state !== undefined && isRunning(state.supervisor) ? state : undefined;
}

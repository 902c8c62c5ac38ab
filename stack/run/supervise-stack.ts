import { identifyProcess, type ProcessIdentity } from '@board/service';
import type { ServerContext } from '../servers/server.ts';
import type { StepTools } from './list-steps.ts';
import { measureMemory } from './memory.ts';
import type { Step } from './run-graph.ts';
import { runServers, type Servers } from './run-servers.ts';
import { type StackState, writeState } from './stack-state.ts';

export interface SupervisedStack {
  readonly state: () => StackState;
  readonly stop: () => Promise<void>;
  readonly kill: () => void;
}

/** The first board comes right after the start: by then caches and heaps have filled. */
const memoryDelayMs = 60_000;

/** Runs the steps and keeps `run/state.json` in step with what happens, from the first server to the last. */
export async function superviseStack(
  context: ServerContext,
  makeSteps: (tools: StepTools) => Step[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SupervisedStack> {
  const { instance } = context;
  const startedAt = Date.now();
  let state: StackState = {
    phase: 'starting',
    supervisor: identifySelf(),
    startedAt: new Date(startedAt).toISOString(),
    processes: [],
  };
  const update = (change: Partial<StackState>): void => {
    state = { ...state, ...change };
    try {
      writeState(instance, state);
    } catch (error) {
      // A full disk must not stop servers that run.
      say(`the state could not be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  update({});

  const timers: { memory?: NodeJS.Timeout } = {};
  let stopping: Promise<void> | undefined;
  const stopAll = (running: Servers): Promise<void> => {
    clearTimeout(timers.memory);
    update({ phase: 'stopping' });
    return running.stop().then(() => update({ phase: 'stopped' }));
  };

  const watcher = {
    say,
    onChange: (processes: StackState['processes']) => update({ processes }),
  };

  const servers = await runServers(context, makeSteps, watcher, signal).catch((error: unknown) => {
    update({ phase: 'failed', problem: error instanceof Error ? error.message : String(error) });
    throw error;
  });
  update({ phase: 'ready', readyMs: Date.now() - startedAt });
  timers.memory = setTimeout(() => {
    update({ memory: { bytes: measureMemory(state), at: new Date().toISOString() } });
  }, memoryDelayMs);
  timers.memory.unref();

  return {
    state: () => state,
    stop: () => (stopping ??= stopAll(servers)),
    kill: servers.kill,
  };
}

function identifySelf(): ProcessIdentity {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new Error('/proc does not show this process: Linux with /proc is needed.');
  return self;
}

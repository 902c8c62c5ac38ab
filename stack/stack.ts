import { identifyProcess } from '@board/service';
import { refuseBusyPorts, refuseFolders, refuseWhatIsMissing } from './check/checks.ts';
import { ensurePrograms } from './fetch/ensure-programs.ts';
import { tryLock } from './instance/hold-lock.ts';
import {
  chooseCluster,
  clearInstance,
  clusters,
  locateInstance,
  makeFolders,
  readCluster,
  stackCommand,
  startCommand,
  type Cluster,
  type Instance,
} from './instance/instance.ts';
import { ensureSecrets, readSecrets, type Secrets } from './instance/secrets.ts';
import { choosePorts, portsAt, readOffset, type PortOffset, type Ports } from './instance/ports.ts';
import {
  listSteps,
  type Only,
  type Selection,
  type Step,
  type StepTools,
} from './run/list-steps.ts';
import { runServers } from './run/run-servers.ts';
import {
  measureMemory,
  readLiveState,
  stopOrphans,
  writeState,
  type StackState,
} from './run/stack-state.ts';
import { loopbackHosts, type ServerContext } from './servers/server.ts';

export { clusters, startCommand };
export type { Cluster, Instance, Only, PortOffset, Ports, Secrets, StackState };

/** How a stack is started. */
export interface StartOptions extends Selection {
  /** Default `main`. */
  readonly instance?: string;
  /** Default: what the instance's data is, else KRaft. */
  readonly cluster?: Cluster | undefined;
  readonly portOffset?: PortOffset | undefined;
  /** Start from nothing: data, logs and passwords of an earlier run are deleted. */
  readonly fresh?: boolean;
  /**
   * How it is started, where that is not as usual: with something between the servers, or other
   * programs.
   */
  readonly steps?: (context: ServerContext, tools: StepTools) => Step[];
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** A stack that this process supervises. */
export interface RunningStack {
  readonly instance: Instance;
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly state: () => StackState;
  /** Stops the servers in reverse order of dependency; safe to call twice. */
  readonly stop: () => Promise<void>;
  /** SIGKILL to every server at once. */
  readonly kill: () => void;
}

/**
 * Fetches what is missing, starts everything and resolves when all of it answers.
 * When anything fails, or `signal` aborts, what was started is stopped before the promise rejects.
 */
export async function startStack(options: StartOptions = {}): Promise<RunningStack> {
  const instance = locateInstance(options.instance ?? 'main');
  const say = options.onProgress ?? (() => undefined);
  const signal = options.signal ?? new AbortController().signal;
  refuseFolders(instance);
  makeFolders(instance);

  const lock = await tryLock(instance.folder);
  if (lock === undefined) throw new Error(alreadyRunning(instance));
  try {
    await stopOrphans(instance, say);
    const fresh = options.fresh === true;
    const cluster = fresh ? (options.cluster ?? 'kraft') : chooseCluster(instance, options.cluster);
    await refuseWhatIsMissing(cluster);
    const ports = await choosePorts(instance, options.portOffset);
    await refuseBusyPorts(instance, ports, cluster);
    // Only now: a start that is refused leaves what an earlier one has left.
    if (fresh) clearInstance(instance);
    const programs = await ensurePrograms(cluster, say, signal);
    const secrets = ensureSecrets(instance);
    const context = { instance, cluster, ports, hosts: loopbackHosts, secrets, programs };
    const makeSteps = (tools: StepTools): Step[] =>
      options.steps?.(context, tools) ?? listSteps(context, options, tools);
    const running = await supervise(context, makeSteps, say, signal);
    const stop = async (): Promise<void> => {
      await running.stop();
      await lock.release();
    };
    return { instance, ports, secrets, ...running, stop };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The first board comes right after the start: by then caches and heaps have filled. */
const memoryDelayMs = 60_000;

/**
 * Runs the steps and keeps `run/state.json` in step with what happens, from the first server to the
 * last.
 */
async function supervise(
  context: ServerContext,
  makeSteps: (tools: StepTools) => Step[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Pick<RunningStack, 'state' | 'stop' | 'kill'>> {
  const startedAt = Date.now();
  const supervisor = identifyProcess(process.pid);
  if (supervisor === undefined)
    throw new Error('/proc does not show this process: Linux with /proc is needed.');
  let state: StackState = {
    phase: 'starting',
    supervisor,
    startedAt: new Date(startedAt).toISOString(),
    processes: [],
    children: [],
  };
  const update = (change: Partial<StackState>): void => {
    state = { ...state, ...change };
    try {
      writeState(context.instance, state);
    } catch (error) {
      // A full disk must not stop servers that run, nor leave one without its supervisor.
      say(
        `the state could not be written: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  update({});

  const servers = await runServers(context, makeSteps, { say, onChange: update }, signal).catch(
    (error: unknown) => {
      update({ phase: 'failed', problem: error instanceof Error ? error.message : String(error) });
      throw error;
    },
  );
  update({ phase: 'ready', readyMs: Date.now() - startedAt });
  const measure = setTimeout(() => {
    update({ memory: { bytes: measureMemory(state), at: new Date().toISOString() } });
  }, memoryDelayMs).unref();

  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    clearTimeout(measure);
    update({ phase: 'stopping' });
    await servers.stop();
    update({ phase: 'stopped' });
  };
  return { state: () => state, stop: () => (stopping ??= stopAll()), kill: servers.kill };
}

/** A stack that some process supervises now; undefined when none does. */
export function readStack(name = 'main'):
  | {
      instance: Instance;
      cluster: Cluster | undefined;
      ports: Ports;
      secrets: Secrets;
      state: StackState;
    }
  | undefined {
  const instance = locateInstance(name);
  const state = readLiveState(instance);
  const secrets = readSecrets(instance);
  const offset = readOffset(instance.folder);
  return state === undefined || secrets === undefined || offset === undefined
    ? undefined
    : { instance, cluster: readCluster(instance), ports: portsAt(offset), secrets, state };
}

function alreadyRunning(instance: Instance): string {
  const state = readLiveState(instance);
  const who = state === undefined ? '' : ` (process ${state.supervisor.pid})`;
  return (
    `The stack "${instance.name}" runs already${who}: ` +
    `"${stackCommand('status', instance)}" shows it, "${stackCommand('down', instance)}" stops it.`
  );
}

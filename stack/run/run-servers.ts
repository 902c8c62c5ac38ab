import { resolve } from 'node:path';
import { identifyProcess, type ProcessIdentity } from '@board/service';
import { layers, type RunTask, type Server, type ServerContext } from '../servers/server.ts';
import { runGraph, type Step, type StepTools } from './list-steps.ts';
import { rotateLog, runCommand } from './run-command.ts';
import { stopOrder, type ChildProcess, type StackState } from './stack-state.ts';
import { supervise, type Supervised } from './supervise.ts';

/** The servers of one instance that run now. */
export interface Servers {
  readonly all: () => readonly Supervised[];
  /** In reverse order of dependency; resolves when all are gone. */
  readonly stop: () => Promise<void>;
  /** SIGKILL to all at once. */
  readonly kill: () => void;
}

/** Receives what happens to the servers. */
export interface StackWatcher {
  readonly say: (line: string) => void;
  readonly onChange: (now: Pick<StackState, 'processes' | 'children'>) => void;
}

/**
 * Runs steps that start servers. When one fails, or a server never becomes ready, everything that
 * was started is stopped before the promise rejects. A server that was ready once stops no other:
 * it is started again for as long as it takes.
 */
export async function runServers(
  { instance }: ServerContext,
  makeSteps: (tools: StepTools) => Step[],
  watcher: StackWatcher,
  signal: AbortSignal,
): Promise<Servers> {
  const started: Supervised[] = [];
  const children = new Map<string, ChildProcess>();
  const { say } = watcher;
  const changed = (): void => {
    // For the status table: what others depend on comes first.
    const inOrder = started.toSorted(
      ({ server: a }, { server: b }) => a.layer - b.layer || a.name.localeCompare(b.name),
    );
    watcher.onChange({
      processes: inOrder.map((one) => one.state()),
      children: [...children.values()],
    });
  };
  /**
   * Called in the moment in which a process is there: should this launcher be killed, the next
   * start finds it.
   */
  const note = (name: string, layer: number, identity: ProcessIdentity | undefined): void => {
    if (identity === undefined) children.delete(name);
    else children.set(name, { name, layer, ...identity });
    changed();
  };

  const runTask =
    (stop: AbortSignal): RunTask =>
    async (name, command) => {
      const logFile = resolve(instance.logDir, `${name}.log`);
      rotateLog(logFile);
      const onStart = (pid: number): void => note(name, layers.task, identifyProcess(pid));
      await runCommand(command, { logFile, signal: stop, onStart }).finally(() =>
        note(name, layers.task, undefined),
      );
    };

  const startServer = async (server: Server, stop: AbortSignal): Promise<void> => {
    await server.prepare(runTask(stop));
    stop.throwIfAborted();
    const onChange = (running: ProcessIdentity | undefined): void =>
      note(server.name, server.layer, running);
    const supervised = await supervise(instance, server, { say, onChange });
    started.push(supervised);
    changed();
    await Promise.race([supervised.ready, aborted(stop)]);
    say(`${server.name} ready at ${server.address()}`);
  };

  const servers: Servers = {
    all: () => started,
    stop: async () => {
      for (const group of stopOrder(started.map((one) => ({ one, layer: one.server.layer })))) {
        const stopOne = async ({ one }: (typeof group)[number]): Promise<void> => {
          const outcome = await one.stop();
          say(
            `${one.server.name} ${outcome}${outcome === 'killed' ? ' (it did not end by itself)' : ''}`,
          );
        };
        await Promise.all(group.map(stopOne));
      }
    },
    kill: () => {
      for (const one of started) one.kill();
    },
  };

  try {
    await runGraph(makeSteps({ startServer, runTask, say }), signal);
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

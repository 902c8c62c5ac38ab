import { appendFileSync, existsSync, renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { removePidFile, writePidFile } from '../instance/pid-files.ts';
import { identifyProcess } from '../instance/process-identity.ts';
import { layers, type RunTask, type Server, type ServerContext } from '../servers/server.ts';
import type { StepTools } from './list-steps.ts';
import { runCommand } from './run-command.ts';
import { runGraph, type Step } from './run-graph.ts';
import { stopOrder } from './stop-orphans.ts';
import { supervise, type ProcessState, type Supervised } from './supervise.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** The servers of one instance that run now. */
export interface Servers {
  readonly all: () => readonly Supervised[];
  /** In reverse order of dependency; settles when all are gone. */
  readonly stop: () => Promise<void>;
  /** SIGKILL to all at once. */
  readonly kill: () => void;
}

/** Who is told what happens to the servers. */
export interface StackWatcher {
  readonly say: (line: string) => void;
  readonly onChange: (processes: ProcessState[]) => void;
  readonly onGiveUp: (reason: Error) => void;
}

/**
 * Runs steps that start servers. When one fails, everything that was started is stopped before the promise rejects.
 */
export async function runServers(
  { instance }: ServerContext,
  makeSteps: (tools: StepTools) => Step[],
  watcher: StackWatcher,
  signal: AbortSignal,
): Promise<Servers> {
  const started: Supervised[] = [];
  const { say } = watcher;
  const changed = (): void => watcher.onChange(inOrder(started).map((one) => one.state()));
  const gaveUp = new AbortController();

  const runTask =
    (stop: AbortSignal): RunTask =>
    async (name, command) => {
      const logFile = resolve(instance.logDir, `${name}.log`);
      rotate(logFile);
      await runCommand(command, {
        logFile,
        signal: stop,
        onStart: (pid) => {
          const identity = identifyProcess(pid);
          if (identity) writePidFile(instance, { name, layer: layers.task, ...identity });
        },
      }).finally(() => removePidFile(instance, name));
    };

  const startServer = async (server: Server, stop: AbortSignal): Promise<void> => {
    await server.prepare(runTask(stop));
    stop.throwIfAborted();
    const supervised = await supervise(instance, server, {
      say,
      onChange: changed,
      onGiveUp: (reason) => {
        gaveUp.abort(reason);
        watcher.onGiveUp(reason);
      },
    });
    started.push(supervised);
    changed();
    await waitUntilReady(server.name, server.probe, server.readyTimeoutMs, stop);
    supervised.markRunning();
    say(`${server.name} ready at ${server.address()}`);
  };

  const servers: Servers = {
    all: () => started,
    stop: async () => {
      for (const group of stopOrder(started.map((one) => ({ one, layer: one.server.layer })))) {
        const outcomes = await Promise.all(group.map(({ one }) => one.stop()));
        for (const [index, outcome] of outcomes.entries()) {
          say(
            `${group[index]?.one.server.name} ${outcome}${outcome === 'killed' ? ' (it did not end by itself)' : ''}`,
          );
        }
      }
    },
    kill: () => {
      for (const one of started) one.kill();
    },
  };

  try {
    await runGraph(makeSteps({ startServer, runTask, say }), AbortSignal.any([signal, gaveUp.signal]));
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

function rotate(logFile: string): void {
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  appendFileSync(logFile, '', { mode: 0o600 });
}

/** As people read a table: what others depend on first. */
function inOrder(servers: readonly Supervised[]): Supervised[] {
  return servers.toSorted((a, b) => a.server.layer - b.server.layer || a.server.name.localeCompare(b.server.name));
}

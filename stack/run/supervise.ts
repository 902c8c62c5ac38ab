import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Instance } from '../instance/instance.ts';
import { removePidFile, writePidFile } from '../instance/pid-files.ts';
import { identifyProcess, type ProcessIdentity } from '../instance/process-identity.ts';
import type { Server } from '../servers/server.ts';
import { decideRestart } from './decide-restart.ts';
import { lastLines, type Command } from './run-command.ts';
import { stopProcess } from './stop-process.ts';

type ProcessPhase = 'starting' | 'running' | 'restarting' | 'stopped' | 'gave-up';

/** One server of a running stack, as `status` shows it. */
export interface ProcessState {
  readonly name: string;
  readonly phase: ProcessPhase;
  readonly pid?: number;
  readonly address: string;
  readonly logFile: string;
  readonly restarts: number;
}

export interface Supervised {
  readonly server: Server;
  state(): ProcessState;
  /** Marks the end of the start: the server answered its probe. */
  markRunning(): void;
  stop(): Promise<'stopped' | 'killed'>;
  /** No more restarts, SIGKILL at once. */
  kill(): void;
}

export interface Watcher {
  readonly say: (line: string) => void;
  readonly onChange: () => void;
  readonly onGiveUp: (reason: Error) => void;
}

/** Starts a server and starts it again, with growing waits, whenever it dies before `stop` or `kill`. */
export async function supervise(instance: Instance, server: Server, watcher: Watcher): Promise<Supervised> {
  const { name } = server;
  const logFile = resolve(instance.logDir, `${name}.log`);
  const stopping = new AbortController();
  const deaths: number[] = [];
  let phase: ProcessPhase = 'starting';
  let identity: ProcessIdentity | undefined;

  const change = (next: ProcessPhase): void => {
    phase = next;
    watcher.onChange();
  };

  const launch = async (): Promise<void> => {
    const child = await startChild(await server.command(), logFile);
    identity = identifyProcess(child.pid ?? 0);
    if (identity !== undefined) writePidFile(instance, { name, layer: server.layer, ...identity });
    // It may have ended before this line: 'exit' is emitted later all the same.
    child.once('exit', (code, signal) => void onExit(signal ?? `exit code ${code}`));
    if (stopping.signal.aborted && identity !== undefined) await stopProcess(identity, 0);
  };

  const onExit = async (how: string): Promise<void> => {
    identity = undefined;
    removePidFile(instance, name);
    if (stopping.signal.aborted) return change('stopped');
    deaths.push(Date.now());
    const decision = decideRestart(deaths);
    if (decision.kind === 'give-up') {
      change('gave-up');
      watcher.onGiveUp(
        new Error(
          `${name} died ${decision.deaths} times within a minute (${how}); the end of ${logFile}:\n${lastLines(logFile, 10, 400)}`,
        ),
      );
      return;
    }
    change('restarting');
    watcher.say(`${name} died (${how}): starting it again in ${decision.delayMs} ms`);
    try {
      await delay(decision.delayMs, undefined, { signal: stopping.signal });
      await launch();
      change('running');
    } catch (error) {
      if (!stopping.signal.aborted) {
        watcher.onGiveUp(new Error(`${name} cannot be started again.`, { cause: error }));
      }
    }
  };

  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  await launch();

  return {
    server,
    state: () => ({
      name,
      phase,
      ...(identity === undefined ? {} : { pid: identity.pid }),
      address: server.address(),
      logFile,
      restarts: deaths.length,
    }),
    markRunning: () => change('running'),
    stop: async () => {
      stopping.abort();
      const outcome = identity === undefined ? 'stopped' : await stopProcess(identity, server.stopTimeoutMs);
      removePidFile(instance, name);
      phase = 'stopped';
      return outcome;
    },
    kill: () => {
      stopping.abort();
      if (identity !== undefined) process.kill(identity.pid, 'SIGKILL');
    },
  };
}

function startChild(command: Command, logFile: string): Promise<ChildProcess> {
  const log = openSync(logFile, 'a', 0o600);
  return new Promise<ChildProcess>((done, reject) => {
    const child = spawn(command.file, command.args, {
      // The log is the file itself, not a pipe: the server outlives a killed launcher without a broken pipe.
      stdio: ['ignore', log, log],
      env: { ...process.env, ...command.env },
      cwd: command.cwd,
      // A group of its own: Ctrl-C in the terminal reaches the launcher only, which stops servers in their order.
      detached: true,
    });
    child.once('error', reject);
    child.once('spawn', () => done(child));
  }).finally(() => closeSync(log));
}

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyProcess, type ProcessIdentity } from '@board/service';
import type { Instance } from '../instance/instance.ts';
import { removePidFile, writePidFile } from '../instance/pid-files.ts';
import type { Server } from '../servers/server.ts';
import { decideRestart, restartPolicy, type RestartPolicy } from './decide-restart.ts';
import { type Command, lastLines } from './run-command.ts';
import { stopProcess } from './stop-orphans.ts';
import { waitUntilReady } from './wait-until-ready.ts';

/** `running`: it has answered its probe. `gave-up`: it died too often in a row, and waits for its next try. */
type ProcessPhase = 'starting' | 'running' | 'restarting' | 'stopped' | 'gave-up';

/** One server of a running stack, as `status` shows it. */
export interface ProcessState {
  readonly name: string;
  readonly phase: ProcessPhase;
  readonly pid?: number;
  readonly address: string;
  readonly logFile: string;
  readonly restarts: number;
  /** Why it does not run, and when it is tried again. */
  readonly problem?: string;
}

export interface Supervised {
  readonly server: Server;
  state(): ProcessState;
  /** Resolves when it answers for the first time; rejects when it died too often or took too long before that. */
  readonly ready: Promise<void>;
  /** Resolves when its process is gone and no other follows. */
  stop(): Promise<'stopped' | 'killed'>;
  /** No more restarts, SIGKILL at once. */
  kill(): void;
}

export interface Watcher {
  readonly say: (line: string) => void;
  readonly onChange: () => void;
}

/**
 * Starts a server, and starts it again with growing waits whenever it dies before `stop` or `kill`. One that was ready
 * once is tried for as long as the stack runs: its failure is told, and stops no other server.
 */
export async function supervise(
  instance: Instance,
  server: Server,
  { say, onChange }: Watcher,
  policy: RestartPolicy = restartPolicy,
): Promise<Supervised> {
  const { name } = server;
  const logFile = resolve(instance.logDir, `${name}.log`);
  const stopping = new AbortController();
  const firstReady = Promise.withResolvers<void>();
  // Who starts it asks for this a moment later; until then a rejection must not end the process.
  firstReady.promise.catch(() => undefined);
  let phase: ProcessPhase = 'starting';
  let problem: string | undefined;
  let identity: ProcessIdentity | undefined;
  let wasReady = false;
  let restarts = 0;
  let deathsInRow = 0;

  const change = (next: ProcessPhase, why?: string): void => {
    phase = next;
    problem = why;
    onChange();
  };

  /** Runs it from its start to its end; resolves with how it ended, and rejects when it cannot be started. */
  const live = async (onSpawn: () => void): Promise<string> => {
    const command = await server.command();
    stopping.signal.throwIfAborted();
    const child = await startChild(command, logFile);
    identity = identifyProcess(child.pid);
    if (identity !== undefined) notePid(identity);
    onSpawn();
    const ended = new AbortController();
    let readyAt: number | undefined;
    const probing = probeUntilReady(AbortSignal.any([ended.signal, stopping.signal]), () => (readyAt = Date.now()));
    // The stop came while it was being started, and found no process to stop.
    if (stopping.signal.aborted && identity !== undefined) await stopProcess(identity, server.stopTimeoutMs);
    const how = await child.exited;
    ended.abort();
    await probing;
    identity = undefined;
    removePidFile(instance, name);
    if (readyAt !== undefined && Date.now() - readyAt >= policy.stableMs) deathsInRow = 0;
    return how;
  };

  /** For the next start, should this launcher be killed; a full disk must not leave a process without a supervisor. */
  const notePid = (running: ProcessIdentity): void => {
    try {
      writePidFile(instance, { name, layer: server.layer, ...running });
    } catch (error) {
      say(`${name} runs, but its pid file could not be written: ${describe(error)}`);
    }
  };

  const probeUntilReady = async (signal: AbortSignal, onReady: () => void): Promise<void> => {
    while (!signal.aborted) {
      try {
        await waitUntilReady(name, server.probe, server.readyTimeoutMs, signal);
        if (signal.aborted) return;
        onReady();
        change('running');
        if (wasReady) say(`${name} ready again at ${server.address()}`);
        wasReady = true;
        return firstReady.resolve();
      } catch (error) {
        if (signal.aborted) return;
        if (!wasReady) return firstReady.reject(error);
        const reason = `${describe(error)}; it is left running, and its log is ${logFile}`;
        change('starting', reason);
        say(reason);
      }
    }
  };

  const waitAfterDeath = async (how: string): Promise<void> => {
    deathsInRow += 1;
    restarts += 1;
    const { delayMs, isGivenUp } = decideRestart(deathsInRow, policy);
    if (!isGivenUp) {
      change('restarting', `died (${how})`);
      say(`${name} died (${how}): starting it again in ${delayMs} ms`);
    } else {
      const death = `${name} died ${deathsInRow} times in a row, the last time with ${how}`;
      const tail = `the end of ${logFile}:\n${lastLines(logFile, 10, 400)}`;
      firstReady.reject(new Error(`${death}; ${tail}`));
      const nextTry = new Date(Date.now() + delayMs).toISOString().replace(/\.\d+Z$/, 'Z');
      change('gave-up', `died ${deathsInRow} times in a row (${how}), next try at ${nextTry}; its log is ${logFile}`);
      const until = `everything else goes on, and it is tried again in ${delayMs / 1000} s`;
      // The log's end once: it is the same each time.
      say(`${death}: ${until}; ${deathsInRow === policy.givenUpFrom ? tail : `its log is ${logFile}`}`);
    }
    await delay(delayMs, undefined, { signal: stopping.signal });
  };

  const keepRunning = async (firstLife: Promise<string>): Promise<void> => {
    for (let life = firstLife; ; life = live(() => change('starting', problem))) {
      const how = await life.catch((error: unknown) => `no start: ${describe(error)}`);
      if (stopping.signal.aborted) break;
      await waitAfterDeath(how).catch(() => undefined);
      if (stopping.signal.aborted) break;
    }
    change('stopped');
  };

  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  const spawned = Promise.withResolvers<void>();
  const firstLife = live(spawned.resolve);
  firstLife.catch(spawned.reject);
  await spawned.promise;
  const over = keepRunning(firstLife);

  return {
    server,
    state: () => ({
      name,
      phase,
      ...(identity === undefined ? {} : { pid: identity.pid }),
      address: server.address(),
      logFile,
      restarts,
      ...(problem === undefined ? {} : { problem }),
    }),
    ready: firstReady.promise,
    stop: async () => {
      stopping.abort();
      const outcome = identity === undefined ? 'stopped' : await stopProcess(identity, server.stopTimeoutMs);
      await over;
      return outcome;
    },
    kill: () => {
      stopping.abort();
      if (identity !== undefined) process.kill(identity.pid, 'SIGKILL');
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface Child {
  readonly pid: number;
  /** Resolves with the signal or exit code that ended it. */
  readonly exited: Promise<string>;
}

function startChild(command: Command, logFile: string): Promise<Child> {
  const log = openSync(logFile, 'a', 0o600);
  return new Promise<Child>((done, reject) => {
    const child = spawn(command.file, command.args, {
      // The log is the file itself, not a pipe: the server outlives a killed launcher without a broken pipe.
      stdio: ['ignore', log, log],
      env: { ...process.env, ...command.env },
      cwd: command.cwd,
      // A group of its own: Ctrl-C in the terminal reaches the launcher only, which stops servers in their order.
      detached: true,
    });
    const exited = new Promise<string>((ended) =>
      child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`)),
    );
    child.once('error', reject);
    child.once('spawn', () => done({ pid: child.pid ?? 0, exited }));
  }).finally(() => closeSync(log));
}

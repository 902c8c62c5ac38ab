import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyProcess, signalProcess, type ProcessIdentity } from '@board/service';
import { backoffMs, type BackoffPolicy } from '@board/service/backoff';
import type { Instance } from '../instance/instance.ts';
import type { Server } from '../servers/server.ts';
import { lastLines, rotateLog, startProgram } from './run-command.ts';
import { stopProcess, type ProcessState } from './stack-state.ts';

/**
 * The waits before a process that died is started again, and from when on it is shown as
 * `keeps-failing`.
 */
export interface RestartPolicy extends BackoffPolicy {
  /** A process that was ready for this long has succeeded: its earlier deaths are forgotten. */
  readonly stableMs: number;
  /**
   * From this many deaths in a row on it is still started again, but shown as a failure, no longer
   * as a restart under way.
   */
  readonly keepsFailingFrom: number;
}

/**
 * Ten kills in a row cost two minutes, and a cause that is gone is noticed within half a minute.
 */
export const restartPolicy: RestartPolicy = {
  stableMs: 60_000,
  firstMs: 250,
  maxMs: 30_000,
  keepsFailingFrom: 5,
};

/** One server under supervision. */
export interface Supervised {
  readonly server: Server;
  state(): ProcessState;
  /**
   * Resolves when it answers for the first time; rejects when it died too often or took too long
   * before that.
   */
  readonly ready: Promise<void>;
  /** Resolves when its process is gone and no other follows. */
  stop(): Promise<'stopped' | 'killed'>;
  /** No more restarts, SIGKILL at once. */
  kill(): void;
}

/** Receives what happens to one server. */
export interface Watcher {
  readonly say: (line: string) => void;
  /** Called with the process that runs now, undefined when none does. */
  readonly onChange: (running: ProcessIdentity | undefined) => void;
}

/**
 * Starts a server, and starts it again with growing waits whenever it dies before `stop` or `kill`.
 * One that was ready once is tried for as long as the stack runs: its failure is reported, and
 * stops no other server.
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
  // The caller waits for this a moment later; until then a rejection must not end the process.
  firstReady.promise.catch(() => undefined);
  const spawned = Promise.withResolvers<void>();
  let phase: ProcessState['phase'] = 'starting';
  let problem: string | undefined;
  let identity: ProcessIdentity | undefined;
  let wasReady = false;
  let restarts = 0;
  let deathsInRow = 0;

  const change = (next: ProcessState['phase'], why?: string): void => {
    phase = next;
    problem = why;
    onChange(identity);
  };

  /**
   * Runs it from its start to its end; resolves with how it ended, and rejects when it cannot be
   * started.
   */
  const live = async (): Promise<string> => {
    const command = await server.command();
    stopping.signal.throwIfAborted();
    const child = await startProgram(command, logFile);
    identity = identifyProcess(child.pid);
    change('starting', problem);
    spawned.resolve();
    const ended = new AbortController();
    let readyAt: number | undefined;
    const probing = probeUntilReady(
      AbortSignal.any([ended.signal, stopping.signal]),
      () => (readyAt = Date.now()),
    );
    // The stop came while it was being started, and found no process to stop.
    if (stopping.signal.aborted && identity !== undefined)
      await stopProcess(identity, server.stopTimeoutMs);
    const how = await child.exited;
    ended.abort();
    await probing;
    identity = undefined;
    if (readyAt !== undefined && Date.now() - readyAt >= policy.stableMs) deathsInRow = 0;
    return how;
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
    const delayMs = backoffMs(policy, deathsInRow);
    if (deathsInRow < policy.keepsFailingFrom) {
      change('restarting', `died (${how})`);
      say(`${name} died (${how}): starting it again in ${delayMs} ms`);
    } else {
      const death = `${name} died ${deathsInRow} times in a row, the last time with ${how}`;
      const tail = `the end of ${logFile}:\n${lastLines(logFile, 10, 400)}`;
      firstReady.reject(new Error(`${death}; ${tail}`));
      const nextTry = new Date(Date.now() + delayMs).toISOString().replace(/\.\d+Z$/, 'Z');
      change(
        'keeps-failing',
        `died ${deathsInRow} times in a row (${how}), next try at ${nextTry}; its log is ${logFile}`,
      );
      const until = `everything else goes on, and it is tried again in ${delayMs / 1000} s`;
      // The log's end once: it is the same each time.
      say(
        `${death}: ${until}; ${deathsInRow === policy.keepsFailingFrom ? tail : `its log is ${logFile}`}`,
      );
    }
    await delay(delayMs, undefined, { signal: stopping.signal });
  };

  const keepRunning = async (firstLife: Promise<string>): Promise<void> => {
    for (let life = firstLife; ; life = live()) {
      const how = await life.catch((error: unknown) => `no start: ${describe(error)}`);
      if (stopping.signal.aborted) break;
      await waitAfterDeath(how).catch(() => undefined);
      if (stopping.signal.aborted) break;
    }
    change('stopped');
  };

  rotateLog(logFile);
  const firstLife = live();
  firstLife.catch(spawned.reject);
  await spawned.promise;
  const over = keepRunning(firstLife);

  return {
    server,
    state: () => ({
      name,
      phase,
      pid: identity?.pid,
      address: server.address(),
      logFile,
      restarts,
      problem,
    }),
    ready: firstReady.promise,
    stop: async () => {
      stopping.abort();
      const outcome =
        identity === undefined ? 'stopped' : await stopProcess(identity, server.stopTimeoutMs);
      await over;
      return outcome;
    },
    kill: () => {
      stopping.abort();
      if (identity !== undefined) signalProcess(identity, 'SIGKILL');
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Probes until the answer is `ready`; at the deadline it throws with the last reason. */
export async function waitUntilReady(
  what: string,
  probe: Server['probe'],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = Date.now();
  for (;;) {
    const answer = await probe().catch((error: unknown) => ({
      kind: 'not-ready' as const,
      reason:
        error instanceof Error && error.cause instanceof Error
          ? `${error.message}: ${error.cause.message}`
          : describe(error),
    }));
    if (answer.kind === 'ready') return;
    signal.throwIfAborted();
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > timeoutMs) {
      throw new Error(`${what} was not ready within ${timeoutMs / 1000} s: ${answer.reason}`);
    }
    // What takes longer than a start is not asked ten times a second for hours.
    await delay(waitedMs < 20_000 ? 100 : 1000, undefined, { signal });
  }
}

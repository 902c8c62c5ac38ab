import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { provisionVariables } from '@board/provision';
import { refuseFolders, refuseWhatIsMissing } from '../check/checks.ts';
import { cacheFolder } from '../fetch/cache.ts';
import { ensurePrograms } from '../fetch/ensure-programs.ts';
import {
  instancesFolder,
  locateInstance,
  makeFolders,
  stackCommand,
  startCommand,
  type Cluster,
} from '../instance/instance.ts';
import { provisionConfig } from '../run/list-steps.ts';
import { rotateLog, startProgram } from '../run/run-command.ts';
import { readLiveState } from '../run/stack-state.ts';
import { nodeCommand } from '../servers/command-lines.ts';
import { moreConsumers } from '../servers/our-services.ts';
import { loopbackHosts } from '../servers/server.ts';
import { readStack, startStack, type StartOptions } from '../stack.ts';
import { followFile } from './logs.ts';
import { renderStack } from './status.ts';

interface InstanceOptions extends StartOptions {
  readonly instance: string;
  readonly table: boolean;
}

/** Supervises in the foreground until Ctrl-C or SIGTERM. */
export async function start(options: InstanceOptions): Promise<void> {
  const say = makeProgress();
  const interrupted = new AbortController();
  const running: { kill?: () => void } = {};
  const stopSignals = onStopSignals({
    first: (signal) => {
      say(`${signal}: stopping everything; once more ends it at once`);
      interrupted.abort(new Error('stopped before the start was complete'));
    },
    again: () => {
      running.kill?.();
      process.exit(130);
    },
  });
  const stack = await startStack({ ...options, onProgress: say, signal: interrupted.signal }).catch(
    (error: unknown) => {
      if (!interrupted.signal.aborted) throw error;
      say('stopped before the start was complete');
      process.exit(130);
    },
  );
  running.kill = stack.kill;
  if (options.table) {
    console.log(renderStack(stack.instance, stack.state()));
    console.log('Ctrl-C stops everything; data stays for the next start.');
  }

  await stopSignals;
  await stack.stop();
  say('everything stopped');
}

/**
 * Starts a supervisor that outlives this process, shows its progress and ends when everything
 * answers.
 */
export async function up(options: InstanceOptions): Promise<void> {
  const instance = locateInstance(options.instance);
  refuseFolders(instance);
  makeFolders(instance);
  const running = readLiveState(instance);
  if (running?.phase === 'ready') {
    const runs = new Set(running.processes.map(({ name }) => name));
    const { withConsumers = [] } = options;
    const absent = moreConsumers.filter(
      ({ name, group }) => withConsumers.includes(name) && !runs.has(group),
    );
    if (absent.length > 0) {
      const services = absent.map(({ group }) => group).join(', ');
      throw new Error(
        `The stack "${instance.name}" runs without ${services}: "${stackCommand('down', instance)}" first.`,
      );
    }
    console.log(`The stack "${instance.name}" runs already.`);
    console.log(renderStack(instance, running));
    return;
  }
  const logFile = resolve(instance.logDir, 'supervisor.log');
  rotateLog(logFile);
  const supervisor = await startProgram(
    { file: process.execPath, args: supervisorArgs(options) },
    logFile,
  );

  // Its progress is its log: shown until it is ready or gone.
  const isReady = (): boolean => {
    const state = readLiveState(instance);
    return state?.supervisor.pid === supervisor.pid && state?.phase === 'ready';
  };
  const outcome = await followFile(
    logFile,
    (text) => process.stdout.write(text),
    isReady,
    supervisor.exited,
  );
  if (outcome === 'ended') throw new Error(`The start failed; ${logFile} has the whole story.`);
  supervisor.unref();
  const state = readLiveState(instance);
  if (state !== undefined) console.log(renderStack(instance, state));
  console.log(`It runs in the background: "${stackCommand('down', instance)}" stops it.`);
}

function supervisorArgs(options: InstanceOptions): string[] {
  const { instance, cluster, portOffset, only = 'all', withConsumers = [] } = options;
  const cli = resolve(import.meta.dirname, '../cli.ts');
  const flavour = cluster === undefined ? [] : ['--cluster', cluster];
  const offset = portOffset === undefined ? [] : ['--port-offset', String(portOffset)];
  const more = withConsumers.flatMap((name) => ['--with', name]);
  return [
    cli,
    '--instance',
    instance,
    'start',
    '--only',
    only,
    '--no-table',
    ...flavour,
    ...offset,
    ...more,
  ];
}

/** Downloads everything that one flavour needs, and makes its AOT caches. */
export async function fetchOnly(cluster: Cluster): Promise<void> {
  const interrupted = new AbortController();
  void onStopSignals({
    first: () => interrupted.abort(new Error('Stopped; what was complete is kept.')),
    again: () => process.exit(130),
  });
  refuseFolders({ folder: instancesFolder });
  await refuseWhatIsMissing(cluster);
  await ensurePrograms(cluster, makeProgress(), interrupted.signal);
  console.log(`Everything is in ${cacheFolder()}.`);
}

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. From a terminal one Ctrl-C arrives several
 * times, from the terminal and from each parent that passes it on: signals within a second of the
 * first count as the same.
 */
export function onStopSignals(handlers: {
  readonly first: (signal: string) => void;
  readonly again: () => void;
}): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (firstAt === undefined) {
          firstAt = Date.now();
          handlers.first(signal);
          resolve(signal);
        } else if (Date.now() - firstAt > 1000) {
          handlers.again();
        }
      });
    }
  });
}

/** Prints each line with the seconds since the first. */
function makeProgress(): (line: string) => void {
  const startedAt = Date.now();
  return (line) => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5);
    console.log(`${seconds} s  ${line}`);
  };
}

/**
 * Runs steps of the setup again on a stack that runs; all of them without names. Exit code of the
 * setup itself.
 */
export async function setup(name: string, steps: readonly string[]): Promise<void> {
  const stack = readStack(name);
  if (stack === undefined)
    throw new Error(
      `The stack "${name}" does not run: start it with "${startCommand(locateInstance(name))}".`,
    );
  const config = provisionConfig({ ...stack, hosts: loopbackHosts });
  const { file, args, env, cwd } = nodeCommand('provision/main.ts', provisionVariables(config));
  const child = spawn(file, [...args, ...steps], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
    cwd,
  });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  process.exitCode = exitCode ?? 1;
}

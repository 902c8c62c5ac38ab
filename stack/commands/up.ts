import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { refuseFolders } from '../check/checks.ts';
import { locateInstance, makeFolders, stackCommand } from '../instance/instance.ts';
import { rotateLog } from '../run/run-command.ts';
import { readLiveState } from '../run/stack-state.ts';
import type { StartOptions } from '../stack.ts';
import { followFile } from './follow-file.ts';
import { renderStack } from './render.ts';

/** Starts a supervisor that outlives this process, shows its progress and ends when everything answers. */
export async function up(options: StartOptions & { readonly instance: string }): Promise<void> {
  const instance = locateInstance(options.instance);
  refuseFolders(instance);
  makeFolders(instance);
  const running = readLiveState(instance);
  if (running?.phase === 'ready') {
    console.log(`The stack "${instance.name}" runs already.`);
    console.log(renderStack(instance, running));
    return;
  }
  const logFile = resolve(instance.logDir, 'supervisor.log');
  const child = startSupervisor(options, logFile);
  const ended = new Promise<void>((done) => child.once('exit', () => done()));

  // Its progress is its log: shown until it is ready or gone.
  const isReady = (): boolean => {
    const state = readLiveState(instance);
    return state?.supervisor.pid === child.pid && state?.phase === 'ready';
  };
  const outcome = await followFile(logFile, (text) => process.stdout.write(text), isReady, ended);
  if (outcome === 'ended') throw new Error(`The start failed; ${logFile} has the whole story.`);
  child.unref();
  const state = readLiveState(instance);
  if (state !== undefined) console.log(renderStack(instance, state));
  console.log(`It runs in the background: "${stackCommand('down', instance)}" stops it.`);
}

function startSupervisor(options: StartOptions & { readonly instance: string }, logFile: string) {
  rotateLog(logFile);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const cluster = options.cluster === undefined ? [] : ['--cluster', options.cluster];
    const offset = options.portOffset === undefined ? [] : ['--port-offset', String(options.portOffset)];
    const more = (options.withConsumers ?? []).flatMap((name) => ['--with', name]);
    return spawn(
      process.execPath,
      [
        resolve(import.meta.dirname, '../cli.ts'),
        '--instance',
        options.instance,
        'start',
        '--only',
        options.only ?? 'all',
        '--no-table',
        ...cluster,
        ...offset,
        ...more,
      ],
      { detached: true, stdio: ['ignore', log, log] },
    );
  } finally {
    closeSync(log);
  }
}

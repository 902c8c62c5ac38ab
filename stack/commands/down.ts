import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, signalProcess } from '@board/service';
import { tryLock } from '../instance/hold-lock.ts';
import { clearInstance, locateInstance, type Instance } from '../instance/instance.ts';
import { readLiveState, stopOrphans } from '../run/stack-state.ts';

/**
 * Stops the stack of an instance, also one whose supervisor was killed; nothing to stop is fine
 * too.
 */
export async function down(name: string): Promise<void> {
  const instance = locateInstance(name);
  const stopped = await stopSupervisor(instance);
  const lock = await tryLock(instance.folder);
  if (lock === undefined) {
    throw new Error(
      `The stack "${name}" is just starting or stopping in another process: try again.`,
    );
  }
  const orphans = await stopOrphans(instance, (line) => console.log(line));
  await lock.release();
  console.log(
    stopped || orphans.length > 0
      ? `The stack "${name}" is stopped.`
      : `The stack "${name}" does not run.`,
  );
}

/**
 * Asks the instance's supervisor to stop everything and waits until it is gone; returns whether
 * there was one.
 */
async function stopSupervisor(instance: Instance): Promise<boolean> {
  const supervisor = readLiveState(instance)?.supervisor;
  if (supervisor === undefined || !signalProcess(supervisor, 'SIGTERM')) return false;
  // No deadline: every server has one of its own.
  while (isRunning(supervisor)) await delay(100);
  return true;
}

/** Stops the instance and deletes its data, logs and passwords, after a question. */
export async function reset(name: string, flags: { yes?: true }): Promise<void> {
  const instance = locateInstance(name);
  if (flags.yes !== true && !(await isSure(instance.folder))) {
    throw new Error('Nothing was deleted.');
  }
  await down(name);
  const lock = await tryLock(instance.folder);
  if (lock === undefined)
    throw new Error(`The stack "${name}" was started again: nothing was deleted.`);
  clearInstance(instance);
  await lock.release();
  console.log(`Deleted: data, logs and passwords of "${name}".`);
}

async function isSure(folder: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new Error('reset deletes all data: say --yes when no terminal can be asked.');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    `Stop the stack and delete everything in ${folder}? [y/N] `,
  );
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

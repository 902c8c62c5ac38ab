import { createInterface } from 'node:readline/promises';
import { clearInstance } from '../instance/clear-instance.ts';
import { tryLock } from '../instance/hold-lock.ts';
import { locateInstance } from '../instance/instance.ts';
import { down } from './down.ts';

/** Stops the instance and deletes its data, logs and passwords, after a question. */
export async function reset(name: string, flags: { yes?: true }): Promise<void> {
  const instance = locateInstance(name);
  if (flags.yes !== true && !(await isSure(instance.folder))) {
    throw new Error('Nothing was deleted.');
  }
  await down(name);
  const lock = await tryLock(instance.folder);
  if (lock === undefined) throw new Error(`The stack "${name}" was started again: nothing was deleted.`);
  clearInstance(instance);
  await lock.release();
  console.log(`Deleted: data, logs and passwords of "${name}".`);
}

async function isSure(folder: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new Error('reset deletes all data: say --yes when no terminal can be asked.');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Stop the stack and delete everything in ${folder}? [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

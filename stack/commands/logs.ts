import { existsSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { locateInstance, type Instance } from '../instance/instance.ts';
import { lastLines } from '../run/run-command.ts';

/** Prints the end of one log (or a few lines of each), and what comes after it with `--follow`. */
export async function logs(
  instanceName: string,
  name: string | undefined,
  flags: { follow?: true },
): Promise<void> {
  const instance = locateInstance(instanceName);
  const names = listLogs(instance);
  if (name !== undefined && !names.includes(name)) {
    throw new Error(`There is no log "${name}"; there are: ${names.join(', ') || 'none yet'}.`);
  }
  const chosen = name === undefined ? names : [name];
  if (flags.follow === true) {
    await Promise.all(chosen.map((one) => follow(instance, one, chosen.length > 1)));
    return;
  }
  for (const one of chosen) {
    if (chosen.length > 1) console.log(`== ${one}`);
    console.log(lastLines(fileOf(instance, one), chosen.length > 1 ? 5 : 200));
  }
}

const fileOf = (instance: Instance, name: string): string =>
  resolve(instance.logDir, `${name}.log`);

function listLogs(instance: Instance): string[] {
  if (!existsSync(instance.logDir)) return [];
  return readdirSync(instance.logDir)
    .filter((file) => file.endsWith('.log'))
    .map((file) => basename(file, '.log'));
}

async function follow(instance: Instance, name: string, withName: boolean): Promise<void> {
  const write = (text: string): void => {
    process.stdout.write(withName ? text.replaceAll(/^(?=.)/gm, `${name} | `) : text);
  };
  const never = new Promise<void>(() => undefined);
  await followFile(fileOf(instance, name), write, () => false, never);
}

/**
 * Hands on what is appended to a file, until `isDone` returns true or `ended` resolves; what was
 * written by then is handed on too.
 */
export async function followFile(
  path: string,
  write: (text: string) => void,
  isDone: () => boolean,
  ended: Promise<unknown>,
): Promise<'done' | 'ended'> {
  const file = await open(path);
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(64 * 1024);
  const copyRest = async (): Promise<void> => {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      write(decoder.decode(buffer.subarray(0, bytesRead), { stream: true }));
    }
  };
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  try {
    for (;;) {
      const last = hasEnded ? 'ended' : isDone() ? 'done' : undefined;
      await copyRest();
      if (last !== undefined) return last;
      await delay(100);
    }
  } finally {
    await file.close();
  }
}

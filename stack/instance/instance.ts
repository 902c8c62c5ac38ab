import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** One stack with ports, data and passwords of its own; several may run side by side. */
export interface Instance {
  readonly name: string;
  readonly folder: string;
  readonly dataDir: string;
  readonly logDir: string;
  readonly runDir: string;
  readonly configDir: string;
}

export const checkout = resolve(import.meta.dirname, '../..');
export const instancesFolder = resolve(checkout, '.stack');

/** Names the folders of an instance; creates nothing. */
export function locateInstance(name: string, parent: string = instancesFolder): Instance {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new Error(
      `"${name}" cannot name an instance: use 1 to 32 of a-z, 0-9 and "-", a dead letter or digit first.`,
    );
  }
  const folder = resolve(parent, name);
  return {
    name,
    folder,
    dataDir: resolve(folder, 'data'),
    logDir: resolve(folder, 'log'),
    runDir: resolve(folder, 'run'),
    configDir: resolve(folder, 'config'),
  };
}

/** Safe to call again. */
export function makeFolders(instance: Instance): void {
  for (const folder of [instance.dataDir, instance.logDir, instance.runDir, instance.configDir]) {
    // The configuration files carry passwords.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}

/**
 * Deletes the data, logs and passwords of an instance that does not run; its ports stay remembered.
 */
export function clearInstance(instance: Instance): void {
  const { dataDir, logDir, runDir, configDir, folder } = instance;
  for (const path of [dataDir, logDir, runDir, configDir, resolve(folder, 'secrets.json')]) {
    rmSync(path, { recursive: true, force: true });
  }
  makeFolders(instance);
}

/** The command that starts this instance in the foreground, as one types it. */
export function startCommand({ name }: Pick<Instance, 'name'>, ...options: string[]): string {
  const all = [...(name === 'main' ? [] : ['--instance', name]), ...options];
  return all.length === 0 ? 'npm start' : `npm start -- ${all.join(' ')}`;
}

/** A command of the launcher as one types it for this instance. */
export function stackCommand(command: string, { name }: Pick<Instance, 'name'>): string {
  return `npm run stack -- ${command}${name === 'main' ? '' : ` --instance ${name}`}`;
}

/**
 * Replaces a file in one step, readable by its owner only: a reader sees the old text or the new
 * one.
 */
export function writeFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

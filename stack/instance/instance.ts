import { mkdirSync } from 'node:fs';
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
    throw new Error(`"${name}" cannot name an instance: use 1 to 32 of a-z, 0-9 and "-", a letter or digit first.`);
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

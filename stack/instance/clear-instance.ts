import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeFolders, type Instance } from './instance.ts';

/** Deletes the data, logs and passwords of an instance that does not run; its ports stay remembered. */
export function clearInstance(instance: Instance): void {
  const { dataDir, logDir, runDir, configDir, folder } = instance;
  for (const path of [dataDir, logDir, runDir, configDir, resolve(folder, 'secrets.json')]) {
    rmSync(path, { recursive: true, force: true });
  }
  makeFolders(instance);
}

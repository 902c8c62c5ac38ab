import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type AptSource, parseDeb822File, parseListFile } from './apt-sources.ts';

/** A distribution as `/etc/os-release` names it. */
export interface System {
  readonly id: string;
  readonly codename: string;
}

export function readSystem(): System {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), codename: field('VERSION_CODENAME') };
}

/** Everything that this machine's apt fetches from. */
export function readAptSources(etc = '/etc/apt'): AptSource[] {
  const parts = join(etc, 'sources.list.d');
  const files = [
    join(etc, 'sources.list'),
    ...(existsSync(parts)
      ? readdirSync(parts)
          .toSorted()
          .map((file) => join(parts, file))
      : []),
  ];
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      if (file.endsWith('.list')) return parseListFile(text);
      return file.endsWith('.sources') ? parseDeb822File(text) : [];
    });
}

/** True when Java and MySQL are to be the fetched ones, whatever the machine has. */
export function isHermetic(): boolean {
  return process.env['STACK_HERMETIC'] === '1';
}

/** The first executable file of this name on PATH and in the folders given. */
export function findOnPath(name: string, more: readonly string[] = []): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...more];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

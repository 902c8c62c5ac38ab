import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDeb822File, parseListFile, type AptSource } from './apt-sources.ts';

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

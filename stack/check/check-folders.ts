import { cacheFolder } from '../fetch/cache.ts';
import type { Instance } from '../instance/instance.ts';
import type { Finding } from './checks.ts';

interface Rule {
  readonly pattern: RegExp;
  readonly reason: string;
}

const controlCharacters: Rule = {
  // oxlint-disable-next-line no-control-regex
  pattern: /[\u0000-\u001f\u007f]/,
  reason: 'a control character in it would end a line of a settings file',
};
/** Everything else works: letters of any alphabet, spaces, "#", "%", quotes, "\". */
const ofData: readonly Rule[] = [
  { pattern: /,/, reason: 'Kafka takes "," for the end of a data folder' },
  controlCharacters,
];
const ofPrograms: readonly Rule[] = [
  { pattern: /,/, reason: 'Connect takes "," for the end of a plugin folder' },
  { pattern: /[:;]/, reason: 'Java takes ":" and the loader ":" and ";" for the end of a path' },
  controlCharacters,
];
/** MySQL keeps a path in 512 bytes: with 460 it still made its data folder and tables of the longest names, with 490 it did not. */
const maxBytes = 450;

/** Whether every server can use the folders' names; looks at nothing but them. */
export function checkFolders(instance: Pick<Instance, 'folder'>, cache: string = cacheFolder()): Finding {
  const data = problemOf(instance.folder, ofData);
  if (data !== undefined) {
    return missing(instance.folder, data, 'move the checkout to another folder');
  }
  const programs = problemOf(cache, ofPrograms);
  if (programs !== undefined) {
    return missing(cache, programs, 'set XDG_CACHE_HOME to another folder');
  }
  return { name: 'folders', status: 'ok', detail: `${instance.folder}, ${cache}` };
}

function problemOf(folder: string, rules: readonly Rule[]): string | undefined {
  const bytes = Buffer.byteLength(folder);
  if (bytes > maxBytes) return `its path has ${bytes} bytes, and MySQL's paths may have no more than ${maxBytes}`;
  return rules.find(({ pattern }) => pattern.test(folder))?.reason;
}

function missing(folder: string, reason: string, fix: string): Finding {
  return { name: 'folders', status: 'missing', detail: `${JSON.stringify(folder)} cannot be used: ${reason}`, fix };
}

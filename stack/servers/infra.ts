import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEnv } from 'node:util';
import { checkout } from '../instance/instance.ts';

/** Text of a file of `infra/`, where the settings stand that every way to run the servers shares. */
export function readSettings(path: string): string {
  return readFileSync(resolve(checkout, 'infra', path), 'utf8');
}

/** A file of `infra/` with one `NAME=value` a line, as containers read it. */
export function readVariables(path: string): Record<string, string> {
  return Object.fromEntries(Object.entries(parseEnv(readSettings(path))).map(([name, value]) => [name, value ?? '']));
}

/** Java options that stand in a variable of such a file. */
export function readJavaOptions(path: string, variable: string): string[] {
  const options = readVariables(path)[variable];
  if (options === undefined) throw new Error(`infra/${path} does not set ${variable}`);
  return options.split(' ');
}

/** A file of `infra/` as Java's log libraries want it: they take a path for a URL, and split their list of files at commas. */
export function settingsUrl(path: string): string {
  return pathToFileURL(resolve(checkout, 'infra', path)).href.replaceAll(',', '%2C');
}

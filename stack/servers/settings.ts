import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEnv } from 'node:util';
import { checkout } from '../instance/instance.ts';

/**
 * Text of a file of `infra/`, where the settings stand that every way to run the servers shares.
 */
export function readSettings(path: string): string {
  return readFileSync(resolve(checkout, 'infra', path), 'utf8');
}

/** A file of `infra/` with one `NAME=value` a line, as containers read it. */
export function readVariables(path: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parseEnv(readSettings(path))).map(([name, value]) => [name, value ?? '']),
  );
}

/** Java options that stand in a variable of such a file. */
export function readJavaOptions(path: string, variable: string): string[] {
  const options = readVariables(path)[variable];
  if (options === undefined) throw new Error(`infra/${path} does not set ${variable}`);
  return options.split(' ');
}

/**
 * A file of `infra/` as Java's log libraries need it: they take a path for a URL, and split their
 * list of files at commas.
 */
export function settingsUrl(path: string): string {
  return pathToFileURL(resolve(checkout, 'infra', path)).href.replaceAll(',', '%2C');
}

type Entries = Readonly<Record<string, string | number | boolean>>;

/**
 * Text of a Java properties file: one `key=value` a line. Java reads it as Latin-1, so other
 * characters are written as \uXXXX.
 */
export function properties(entries: Entries): string {
  return lines(entries, (value) =>
    value
      .replaceAll('\\', String.raw`\\`)
      .replaceAll('\n', String.raw`\n`)
      .replace(/^ /, String.raw`\ `)
      .replaceAll(
        /[^\x20-\x7e]/g,
        (unit) => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
  );
}

/**
 * Lines of a section of MySQL's option file; a value in which MySQL would find a comment, a quote
 * or an escape is quoted.
 */
export function optionFileLines(entries: Entries): string {
  const quote = (value: string): string =>
    /[#"'\\]|^\s|\s$/.test(value)
      ? `"${value.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`)}"`
      : value;
  return lines(entries, quote);
}

function lines(entries: Entries, write: (value: string) => string): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${write(String(value))}\n`)
    .join('');
}

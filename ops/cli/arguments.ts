import { once } from 'node:events';
import { constants, createWriteStream, type WriteStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { UsageError } from './program.ts';

const unitsMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A date and time, or how long ago: 90s, 15m, 2h, 3d. */
export function parseTime(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Date.now() - Number(amount) * (unitsMs[unit] ?? 0);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError(
      'It must be a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 3d.',
    );
  return time;
}

/** The version of an event. */
export function parseVersion(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw new InvalidArgumentError('It must be an integer from 1 to 4294967295.');
}

/** An id that the key columns can hold: 1 to 64 visible ASCII characters. */
export function parseAggregateId(text: string): string {
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 64 visible ASCII characters.');
}

/** Dead letters per second. */
export function parseRate(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 100_000) return rate;
  throw new InvalidArgumentError(
    'It must be a number of dead letters per second, more than 0 and at most 100000.',
  );
}

/** A text that is not blank. */
export function parseText(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It must be a text that is not empty.');
}

/** 90m, 36h, 7d in milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('It must be a duration: 90m, 36h, 7d.');
  return Number(amount) * (unitsMs[unit] ?? 0);
}

/** From 0 to 999999999. */
export function parseInteger(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be an integer from 0 to 999999999.');
}

/** Throws UsageError unless the file that an argument names can be read. */
export async function requireFile(argument: string, file: string): Promise<void> {
  const problem = await problemOfReading(file);
  if (problem !== undefined) throw new UsageError(`${argument} names ${file}, ${problem}.`);
}

async function problemOfReading(file: string): Promise<string | undefined> {
  try {
    if ((await stat(file)).isDirectory()) return 'which is a folder: name a file';
    await access(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'and there is no such file';
    return code === 'EACCES' ? 'which this user may not read' : `which cannot be read (${message})`;
  }
}

/**
 * Creates and opens the file that an argument names; throws UsageError when it exists already or
 * cannot be created.
 */
export async function createFile(argument: string, path: string): Promise<WriteStream> {
  const file = createWriteStream(path, { flags: 'wx' });
  try {
    await once(file, 'open');
    return file;
  } catch (error) {
    throw new UsageError(
      `${argument} names ${path}, ${problemOfWriting(error as NodeJS.ErrnoException, path)}.`,
    );
  }
}

function problemOfWriting({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'EEXIST') return 'which exists already: choose another name';
  const folder = dirname(resolve(path));
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return `and there is no folder ${folder}: make it, or choose another`;
  return code === 'EACCES'
    ? `and this user may not write to ${folder}`
    : `which cannot be written (${message})`;
}

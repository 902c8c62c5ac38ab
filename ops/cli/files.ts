import { once } from 'node:events';
import { constants, createWriteStream, type WriteStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from './program.ts';

/** Throws one sentence unless the file that an argument names can be read. */
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
 * Creates and opens the file that an argument names; throws one sentence when it is there already
 * or cannot be made.
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

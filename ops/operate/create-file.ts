import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

/** Creates and opens the file that an argument names; throws one sentence when it is there already or cannot be made. */
export async function createFile(argument: string, path: string): Promise<WriteStream> {
  const file = createWriteStream(path, { flags: 'wx' });
  try {
    await once(file, 'open');
    return file;
  } catch (error) {
    throw new UsageError(`${argument} names ${path}, ${describe(error as NodeJS.ErrnoException, path)}.`);
  }
}

function describe({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'EEXIST') return 'which exists already: choose another name';
  const folder = dirname(resolve(path));
  if (code === 'ENOENT' || code === 'ENOTDIR') return `and there is no folder ${folder}: make it, or choose another`;
  return code === 'EACCES' ? `and this user may not write to ${folder}` : `which cannot be written (${message})`;
}

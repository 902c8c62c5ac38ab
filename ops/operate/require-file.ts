import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { UsageError } from './usage-error.ts';

/** Throws one sentence unless the file that an argument names can be read. */
export async function requireFile(argument: string, file: string): Promise<void> {
  const problem = await findProblem(file);
  if (problem !== undefined) throw new UsageError(`${argument} names ${file}, ${problem}.`);
}

async function findProblem(file: string): Promise<string | undefined> {
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

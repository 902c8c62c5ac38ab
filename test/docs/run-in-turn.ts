import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkout } from './read-documents.ts';

// Runs one program with one list of arguments after the other. Its own module is loaded anew each
// time, what it imports only once: that is nearly all of the time that a program takes to start.

/** What became of the program with one list of arguments. */
export interface RunResult {
  readonly exitCode: number;
  /** Both streams. */
  readonly output: string;
}

class Ended extends Error {}

const [file = ''] = process.argv.slice(2);
const path = join(checkout, file);
let output = '';
const collect = (chunk: unknown): boolean => {
  output += String(chunk);
  return true;
};
process.stdout.write = collect;
process.stderr.write = collect;
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);

const exitCodeSet = (): number => Number(process.exitCode ?? 0);

async function run(args: readonly string[], turn: number): Promise<RunResult> {
  output = '';
  process.exitCode = undefined;
  process.argv = [process.execPath, path, ...args];
  let ended: number | undefined;
  const exit = process.exit;
  process.exit = (code) => {
    // The first counts: what catches this one may try to end the process again.
    ended ??= Number(code ?? exitCodeSet());
    throw new Ended();
  };
  try {
    await import(`${pathToFileURL(path).href}?turn=${turn}`);
  } catch (error) {
    if (!(error instanceof Ended)) {
      output += error instanceof Error ? (error.stack ?? error.message) : String(error);
      ended ??= 1;
    }
  } finally {
    process.exit = exit;
  }
  return { exitCode: ended ?? exitCodeSet(), output };
}

const [lines] = (await once(process, 'message')) as [readonly string[][]];
for (const [turn, args] of lines.entries()) {
  const result = await run(args, turn);
  await new Promise((sent) => process.send?.(result, sent));
}
// What a program has left open must not keep the process.
process.exit(0);

import { createInterface } from 'node:readline/promises';
import { printable } from '@board/service';
import { UsageError } from './program.ts';

/** Returns once the operator is sure: by `--yes`, else by an answer on the terminal. */
export async function confirm(text: string, yes: true | undefined): Promise<void> {
  if (yes === true) return;
  const question = printable(text);
  if (!process.stdin.isTTY)
    throw new UsageError(`${question} Say --yes: no terminal can be asked.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Nothing was changed.');
}

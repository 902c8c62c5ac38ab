import { ConfigError, printable } from '@board/service';
import { CommanderError, type Command } from 'commander';
import { exit } from './exit.ts';
import { UsageError } from './usage-error.ts';

/** Exit codes: 0 done, 1 failed or not possible, 2 the command was given wrongly. */
export async function runProgram(program: Command): Promise<void> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else {
      console.error(printable(describe(error)));
      process.exitCode = error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
    }
  }
  await exit();
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message === '' ? error.name : error.message;
  return error.cause === undefined ? text : `${text}: ${describe(error.cause)}`;
}

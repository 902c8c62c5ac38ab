import { once } from 'node:events';
import { ConfigError, printable } from '@board/service';
import { Command, CommanderError } from 'commander';
import { describeVariables, type ServerName, type Wanted } from './addresses.ts';

/** Options that every command has. */
export interface CommonFlags {
  readonly instance: string;
  readonly json?: true;
}

interface ProgramOptions {
  /** As it is typed: `npm run dlq --`. */
  readonly name: string;
  readonly description: string;
  readonly servers: Wanted<ServerName>;
  /** What each exit code says, where it is more than this. */
  readonly exitCodes?: string;
  /** Lines before the environment. */
  readonly notes?: string;
}

/**
 * A program whose commands all know `--instance` and `--json`, whose usage errors are thrown, and
 * whose --help is whole.
 */
export function createProgram({
  name,
  description,
  servers,
  exitCodes,
  notes = '',
}: ProgramOptions): Command {
  return new Command(name)
    .description(description)
    .option(
      '--instance <name>',
      'the local stack to ask where the environment names no addresses',
      'main',
    )
    .option('--json', 'JSON for programs, one document a line')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText(
      'after',
      `${notes}\n${describeVariables(servers)}` +
        '\nSERVER_DEADLINE_MS (60000): how long a server may say nothing before the command ends.' +
        `\nExit code: ${exitCodes ?? '0 done, 1 failed or not possible as things are, 2 the command was given wrongly.'}`,
    );
}

/** The command cannot be carried out as it was given: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Runs it and ends the process: 0 done, 1 failed or not possible, 2 the command was given wrongly;
 * or what the command has set.
 */
export async function runProgram(program: Command): Promise<void> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1);
  });
  try {
    await program.parseAsync(process.argv.map(renamedOption));
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else {
      console.error(printable(describeError(error)));
      process.exitCode = error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
    }
  }
  // Once its output is written: a connection that cannot close must not hold it.
  for (const stream of [process.stdout, process.stderr])
    if (stream.writableNeedDrain) await once(stream, 'drain');
  process.exit();
}

/** Options by the name that they had before, which works for one release more. */
const renamedOptions: Readonly<Record<string, string>> = {
  '--board': '--aggregate',
  '--boards': '--aggregates',
};

function renamedOption(argument: string): string {
  const [former = '', ...value] = argument.split('=');
  const name = renamedOptions[former];
  if (name === undefined) return argument;
  console.error(`${former} is called ${name} now; the old name goes with the next release.`);
  return [name, ...value].join('=');
}

/** A failure with its causes, as people read it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message === '' ? error.name : error.message;
  return error.cause === undefined ? text : `${text}: ${describeError(error.cause)}`;
}

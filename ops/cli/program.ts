import { once } from 'node:events';
import { ConfigError, printable } from '@board/service';
import { Command, CommanderError } from 'commander';
import { describeVariables, type ServerName, type CommandServers } from './addresses.ts';

/** Options that every command has. */
export interface CommonFlags {
  readonly instance: string;
  readonly json?: true;
}

interface ProgramOptions {
  /** As an operator types it: `npm run dlq --`. */
  readonly name: string;
  readonly description: string;
  readonly servers: CommandServers<ServerName>;
  /** What each exit code means, where the default text is not enough. */
  readonly exitCodes?: string;
  /** Lines of --help before the environment. */
  readonly notes?: string;
}

/**
 * Creates a program with `--instance` and `--json`, whose --help names the environment and the exit
 * codes; it throws usage errors.
 */
export function createProgram({
  name,
  description,
  servers,
  exitCodes = '0 done, 1 failed or not possible as things are, 2 the command was given wrongly.',
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
        `\nExit code: ${exitCodes}`,
    );
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Runs the program and ends the process. Exit code 0: done; 1: failed or not possible; 2: the
 * command line is wrong; or the code that the command has set.
 */
export async function runProgram(program: Command): Promise<void> {
  // A reader that closes the pipe (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1);
  });
  try {
    await program.parseAsync(withCurrentNames(process.argv));
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else {
      console.error(printable(describeError(error)));
      process.exitCode = error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
    }
  }
  // A connection that cannot close must not hold the process; its output is written first.
  for (const stream of [process.stdout, process.stderr])
    if (stream.writableNeedDrain) await once(stream, 'drain');
  process.exit();
}

/** Former names of options, accepted for one release. */
const renamedOptions: Readonly<Record<string, string>> = {
  '--board': '--aggregate',
  '--boards': '--aggregates',
};

/** Replaces former names of options, with a notice; what stands behind `--` is no option. */
function withCurrentNames(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((argument, index) => {
    const [former = '', ...value] = argument.split('=');
    const isOption = end === -1 || index < end;
    if (!isOption || !Object.hasOwn(renamedOptions, former)) return argument;
    const name = renamedOptions[former] ?? former;
    console.error(`${former} is called ${name} now; the old name goes with the next release.`);
    return [name, ...value].join('=');
  });
}

/** The message of a failure, followed by those of its causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message === '' ? error.name : error.message;
  return error.cause === undefined ? text : `${text}: ${describeError(error.cause)}`;
}

import { Command, InvalidArgumentError, Option } from 'commander';
import { down, reset } from './commands/down.ts';
import { logs } from './commands/logs.ts';
import { fetchOnly, setup, start, up } from './commands/start.ts';
import { doctor, status } from './commands/status.ts';
import {
  chooseCluster,
  clusters,
  locateInstance,
  readCluster,
  type Cluster,
} from './instance/instance.ts';
import { moreConsumers } from './servers/our-services.ts';
import type { Only, PortOffset } from './stack.ts';

const program = new Command('npm run stack --')
  .description('Starts and stops the whole pipeline on this machine')
  .option('--instance <name>', 'a stack with data and ports of its own', 'main')
  .addOption(
    new Option(
      '--cluster <flavour>',
      'kraft (Kafka 4) or zookeeper (Kafka 3.9); an instance keeps the one that it was first started with',
    ).choices(clusters),
  )
  .configureHelp({ showGlobalOptions: true });

const given = (): { readonly instance: string; readonly cluster?: Cluster } => program.opts();
/**
 * The instance that a command is about; throws when its data is of another flavour than the one
 * asked for.
 */
function instance(): string {
  const { instance: name, cluster } = given();
  chooseCluster(locateInstance(name), cluster);
  return name;
}

function parseOffset(text: string): PortOffset {
  if (text === 'auto') return text;
  const offset = Number(text);
  if (Number.isInteger(offset) && offset >= 0 && offset <= 40_000) return offset;
  throw new InvalidArgumentError('a number from 0 to 40000, or "auto"');
}

function parseOnly(text: string): Only {
  if (text === 'servers' || text === 'all') return text;
  throw new InvalidArgumentError('"servers" or "all"');
}

interface StartFlags {
  readonly portOffset?: PortOffset;
  readonly only: Only;
  readonly with?: readonly string[];
  readonly table: boolean;
}

function startCommand(name: string, description: string, run: typeof start): Command {
  return program
    .command(name)
    .description(description)
    .option('--port-offset <n>', 'added to every fixed port, or "auto"; remembered', parseOffset)
    .option('--only <what>', '"servers" leaves out the services, "all" does not', parseOnly, 'all')
    .addOption(
      new Option('--with <consumer...>', 'also starts the services of these consumers').choices(
        moreConsumers.map(({ name }) => name),
      ),
    )
    .action(({ with: withConsumers, ...flags }: StartFlags) => {
      if (flags.only === 'servers' && withConsumers !== undefined)
        throw new Error(
          '--with starts services, and --only servers leaves them out: say one of the two.',
        );
      return run({ instance: instance(), cluster: given().cluster, withConsumers, ...flags });
    });
}

startCommand(
  'start',
  'starts everything and stays in the foreground; Ctrl-C stops it',
  start,
).addOption(new Option('--no-table', 'for "up", which prints the table itself').hideHelp());
startCommand('up', 'starts everything in the background', up);
program
  .command('down')
  .description('stops everything; data stays')
  .action(() => down(instance()));
program
  .command('status')
  .description('what runs where, how long the start took, how much memory all of it has')
  .option('--json', 'for programs')
  .action((flags: { json?: true }) => status(instance(), flags));
program
  .command('logs')
  .description('the end of one log, or of all')
  .argument('[name]', 'as in the table of "status"')
  .option('-f, --follow', 'goes on until Ctrl-C')
  .action((name: string | undefined, flags: { follow?: true }) => logs(instance(), name, flags));
program
  .command('setup')
  .description(
    'repeats steps of the setup on a stack that runs: users, migrations, grants, topics, schemas, connector',
  )
  .argument('[steps...]', 'default: all')
  .action((steps: readonly string[]) => setup(instance(), steps));
program
  .command('reset')
  .description('stops everything and deletes data, logs and passwords')
  .option('--yes', 'do not ask for confirmation')
  .action((flags: { yes?: true }) => reset(instance(), flags));
program
  .command('doctor')
  .description('prints what is missing and how to fix it')
  .option('--json', 'for programs')
  .action((flags: { json?: true }) => doctor(given().instance, given().cluster, flags));
program
  .command('fetch')
  .description('downloads everything that a start needs, and starts nothing')
  .action(() =>
    fetchOnly(given().cluster ?? readCluster(locateInstance(given().instance)) ?? 'kraft'),
  );

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exit(1);
}

/** The sentences of an error and its causes; a stack trace only on demand. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env['STACK_TRACE'] === '1') return error.stack ?? error.message;
  return error.cause === undefined
    ? error.message
    : `${error.message}\n${describeError(error.cause)}`;
}

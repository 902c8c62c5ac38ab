import { Command, InvalidArgumentError } from 'commander';
import { auditAddresses } from './audit/audit-addresses.ts';
import { auditBoards } from './audit/audit-boards.ts';
import { exitCodes, formatReport } from './audit/format-report.ts';
import { showProgress } from './audit/show-progress.ts';
import { exit } from './operate/exit.ts';
import { watchServers } from './operate/watch-servers.ts';

interface Flags {
  readonly instance: string;
  readonly json?: true;
  readonly limit: number;
  readonly timeout: number;
}

const program = new Command('npm run audit --')
  .description('Compares every board of order-service with what catalog-service has applied; works while traffic flows')
  .option('--instance <name>', 'the local stack to audit where the environment names no addresses', 'main')
  .option('--json', 'the report as JSON')
  .option('--limit <n>', 'boards listed per verdict', wholeNumber, 20)
  .option(
    '--timeout <seconds>',
    'for the connector, and then for the consumers, to come as far as the boards',
    wholeNumber,
    60,
  )
  .addHelpText(
    'after',
    '\nEnvironment: DATABASE_HOST, _PORT, _USER (audit), _PASSWORD, KAFKA_BROKERS, CONNECT_URL;' +
      '\nKAFKA_USER, KAFKA_PASSWORD, KAFKA_CA_FILE where Kafka asks for a login.' +
      '\nSERVER_DEADLINE_MS (60000): how long a server may say nothing before the command ends.' +
      '\nExit code: 0 every board is accounted for, 1 boards are LOST, AHEAD, in conflict or different, 2 cannot tell.',
  )
  // Commander's own code for a wrong option is 1, which is red here.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitCodes.incomplete))
  .action(run);

await program.parseAsync();
await exit();

async function run({ instance, json, limit, timeout }: Flags): Promise<void> {
  const progress = showProgress();
  try {
    const addresses = auditAddresses(process.env, instance);
    watchServers(addresses, { exitCode: exitCodes.incomplete, prefix: 'Cannot tell: ' });
    const report = await auditBoards({ ...addresses, timeoutMs: timeout * 1_000, listed: limit, say: progress.say });
    progress.done();
    console.log(json === true ? JSON.stringify(report, null, 2) : formatReport(report));
    process.exitCode = exitCodes[report.outcome];
  } catch (error) {
    progress.done();
    console.error(`Cannot tell: ${describe(error)}`);
    process.exitCode = exitCodes.incomplete;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message === '' ? error.name : error.message;
  return error.cause === undefined ? text : `${text}: ${describe(error.cause)}`;
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It wants a whole number.');
}

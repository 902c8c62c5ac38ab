import { consumers, type ConsumerDefinition } from '@board/contracts';
import { InvalidArgumentError } from 'commander';
import { readAddresses } from '../cli/addresses.ts';
import { parseInteger } from '../cli/arguments.ts';
import { printJson } from '../cli/print.ts';
import { createProgram, describeError, runProgram, type CommonFlags } from '../cli/program.ts';
import { showProgress } from '../cli/terminal.ts';
import { watchServers } from '../cli/watch-servers.ts';
import { auditConsumers } from './audit/audit-consumers.ts';
import { exitCodes, formatReport, worstOutcome } from './audit/format-report.ts';

interface Flags extends CommonFlags {
  readonly consumer?: ConsumerDefinition;
  readonly limit: number;
  readonly timeout: number;
}

/** The account reads both schemas and may only set missing_range.cleared_at. */
const servers = {
  servers: ['database', 'kafka', 'connectUrl'],
  account: { user: 'audit', database: 'order_service' },
} as const;

const program = createProgram({
  name: 'npm run audit --',
  description:
    'Compares every aggregate, such as a board of order-service, with what each consumer has ' +
    'applied; works while traffic flows',
  servers,
  exitCodes:
    '0 everything is accounted for, 1 some are LOST, AHEAD, in conflict or different, 2 ' +
    'cannot tell.',
})
  .option(
    '--consumer <name>',
    `only this one; there are: ${consumers.map(({ name }) => name).join(', ')}`,
    parseConsumer,
  )
  .option('--limit <n>', 'how many are listed of each verdict', parseInteger, 20)
  .option(
    '--timeout <seconds>',
    'how long to wait until the connector has shipped the rows, and then as long until the ' +
      'consumers have processed them',
    parseInteger,
    60,
  )
  .action(run);

await runProgram(program);

async function run({ instance, json, limit, timeout, consumer }: Flags): Promise<void> {
  const progress = showProgress();
  try {
    const addresses = readAddresses(process.env, instance, servers);
    watchServers(addresses, { exitCode: exitCodes.incomplete, prefix: 'Cannot tell: ' });
    const reports = await auditConsumers({
      ...addresses,
      timeoutMs: timeout * 1_000,
      listed: limit,
      printProgress: progress.print,
      ...(consumer !== undefined && { consumers: [consumer] }),
    });
    progress.done();
    // Set before printing: a reader that closes the pipe must not make the exit code 0.
    process.exitCode = exitCodes[worstOutcome(reports)];
    if (json === true) for (const report of reports) printJson(report);
    else console.log(reports.map(formatReport).join('\n\n'));
  } catch (error) {
    progress.done();
    console.error(`Cannot tell: ${describeError(error)}`);
    process.exitCode = exitCodes.incomplete;
  }
}

function parseConsumer(name: string): ConsumerDefinition {
  const found = consumers.find((consumer) => consumer.name === name);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(
    `It must be one of: ${consumers.map((consumer) => consumer.name).join(', ')}.`,
  );
}

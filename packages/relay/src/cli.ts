import { askBrokers } from '@board/kafka';
import { askHttp, configFields, endWhenSilent, printable, readConfig, type NeededServer } from '@board/service';
import { Command } from 'commander';
import { z } from 'zod';
import { connectApi } from './connect-api.ts';
import { boardOutbox } from './connector-definition.ts';
import { describeConnector, formatReport } from './describe-connector.ts';
import { readAddresses, type Addresses } from './read-addresses.ts';
import { registerConnector } from './register.ts';

const settings = z.object({ SERVER_DEADLINE_MS: configFields.milliseconds().optional() });

const program = new Command('npm run connector --')
  .description(`Registers and shows the Debezium connector ${boardOutbox.name}.`)
  .option('--instance <name>', 'the local stack to ask when the environment names no addresses', 'main')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    '\nEnvironment: CONNECT_URL and KAFKA_BROKERS, for a stack that is not a local one;' +
      '\nSERVER_DEADLINE_MS (60000): how long a server may say nothing before the command ends.' +
      '\nExit code: 0 when the connector runs, else 1.',
  );

program
  .command('register')
  .description('validate, create or change it, and wait until it really ships')
  .action(async () => {
    const { connectUrl, brokers } = addresses();
    needed(connectAt(connectUrl), kafkaAt(brokers));
    if ((await registerConnector({ connectUrl, brokers, onProgress: print })) === 'held') process.exitCode = 1;
  });

program
  .command('status')
  .description('show its state, its task and how far it has come')
  .option('--json', 'as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const { connectUrl } = addresses();
    needed(connectAt(connectUrl));
    const report = await describeConnector(connectApi(connectUrl), boardOutbox.name);
    print(json === true ? JSON.stringify(report, null, 2) : formatReport(report));
    if (!report.isRunning) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(printable(error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
}

function addresses(): Addresses {
  return readAddresses(process.env, program.opts<{ instance: string }>().instance);
}

function connectAt(url: string): NeededServer {
  return { name: `Connect at ${url}`, ask: (signal) => askHttp(url, signal) };
}

function kafkaAt(brokers: readonly string[]): NeededServer {
  return { name: `Kafka at ${brokers.join(', ')}`, ask: (signal) => askBrokers({ brokers }, signal) };
}

/** Ends the command once one of them says nothing any more. */
function needed(...servers: readonly NeededServer[]): void {
  const end = (reason: string): void => {
    console.error(reason);
    process.exit(1);
  };
  endWhenSilent(servers, end, readConfig(settings, process.env).SERVER_DEADLINE_MS);
}

function print(line: string): void {
  console.log(printable(line));
}

import { Command } from 'commander';
import { connectApi } from './connect-api.ts';
import { boardOutbox } from './connector-definition.ts';
import { describeConnector, formatReport } from './describe-connector.ts';
import { readAddresses, type Addresses } from './read-addresses.ts';
import { registerConnector } from './register.ts';

const program = new Command('npm run connector --')
  .description(`Registers and shows the Debezium connector ${boardOutbox.name}.`)
  .option('--instance <name>', 'the local stack to ask when the environment names no addresses', 'main')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    '\nEnvironment: CONNECT_URL and KAFKA_BROKERS, for a stack that is not a local one.' +
      '\nExit code: 0 when the connector runs, else 1.',
  );

program
  .command('register')
  .description('validate, create or change it, and wait until it really ships')
  .action(async () => {
    await registerConnector({ ...addresses(), onProgress: print });
  });

program
  .command('status')
  .description('show its state, its task and how far it has come')
  .option('--json', 'as JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const report = await describeConnector(connectApi(addresses().connectUrl), boardOutbox.name);
    print(json === true ? JSON.stringify(report, null, 2) : formatReport(report));
    if (!report.isRunning) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function addresses(): Addresses {
  return readAddresses(process.env, program.opts<{ instance: string }>().instance);
}

function print(line: string): void {
  console.log(line);
}

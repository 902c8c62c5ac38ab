import {
  boardOutbox,
  connectApi,
  describeConnector,
  formatReport,
  registerConnector,
} from '@board/relay';
import { printable } from '@board/service';
import type { Command } from 'commander';
import { readAddresses } from '../cli/addresses.ts';
import { printJson } from '../cli/print.ts';
import { createProgram, runProgram, type CommonFlags } from '../cli/program.ts';
import { watchServers } from '../cli/watch-servers.ts';

const servers = { servers: ['connectUrl', 'kafka'] } as const;

const program = createProgram({
  name: 'npm run connector --',
  description: `Registers and shows the Debezium connector ${boardOutbox.name}.`,
  servers,
  exitCodes: '0 when the connector runs, 1 when it does not, 2 the command was given wrongly.',
});

program
  .command('register')
  .description('validate, create or change it, and wait until it really ships')
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<CommonFlags>();
    const { connectUrl, kafka } = readAddresses(process.env, flags.instance, servers);
    watchServers({ connectUrl, kafka });
    const outcome = await registerConnector({
      connectUrl,
      ...kafka,
      onProgress: (line) => (flags.json === true ? console.error : console.log)(printable(line)),
    });
    if (flags.json === true) printJson({ name: boardOutbox.name, outcome });
    if (outcome === 'held') process.exitCode = 1;
  });

program
  .command('status')
  .description('show its state, its task and how far it has come')
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<CommonFlags>();
    const { connectUrl } = readAddresses(process.env, flags.instance, { servers: ['connectUrl'] });
    watchServers({ connectUrl });
    const report = await describeConnector(connectApi(connectUrl), boardOutbox.name);
    if (!report.isRunning) process.exitCode = 1;
    if (flags.json === true) printJson(report);
    else console.log(printable(formatReport(report)));
  });

await runProgram(program);

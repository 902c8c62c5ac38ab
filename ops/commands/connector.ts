import {
  boardOutbox,
  compareConfig,
  connectApi,
  describeConnector,
  describeHold,
  formatReport,
  keepTrying,
  readHold,
  refuseInvalid,
  registerConnector,
  type ConnectApi,
  type ConnectorStatus,
} from '@board/relay';
import { printable } from '@board/service';
import type { Command } from 'commander';
import { readAddresses } from '../cli/addresses.ts';
import { parseInteger } from '../cli/arguments.ts';
import { printJson, rowPrinter } from '../cli/print.ts';
import { createProgram, describeError, runProgram, type CommonFlags } from '../cli/program.ts';
import { confirm, stopOnSignal } from '../cli/terminal.ts';
import { watchServers } from '../cli/watch-servers.ts';
import { checkAll, differences, printChanges } from './connector/check-definitions.ts';
import { chooseDefinitions, readDefinitions } from './connector/definitions.ts';
import {
  awaitConnect,
  carryOut,
  consequences,
  describeState,
  refuseVerb,
  statusOf,
  type Verb,
} from './connector/verbs.ts';
import { watchStates } from './connector/watch-states.ts';

const servers = { servers: ['connectUrl', 'kafka'] } as const;
const connectOnly = { servers: ['connectUrl'] } as const;

type Flags = CommonFlags & { readonly wait: number };

const program = createProgram({
  name: 'npm run connector --',
  description: 'Registers, shows and repairs the connectors that connectors/*.json define.',
  servers,
  exitCodes:
    '0 done, and what was asked about is as it should be; 1 it is not; ' +
    '2 the command was given wrongly, or Connect does not answer.',
}).option(
  '--wait <s>',
  'how long to wait for a Connect that is starting',
  (text) => parseInteger(text) * 1_000,
  30_000,
);
const example = (text: string): string => `\nExample: npm run connector -- ${text}`;

/** Opens Connect, and waits until it answers; one that falls silent later ends the command. */
async function openConnect(flags: Flags, mayFallSilent = false): Promise<ConnectApi> {
  const { connectUrl } = readAddresses(process.env, flags.instance, connectOnly);
  if (!mayFallSilent) watchServers({ connectUrl });
  const api = connectApi(connectUrl);
  await awaitConnect(api, flags.wait);
  return api;
}

program
  .command('list')
  .description('all connectors that are defined or registered, with their states')
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags>();
    const api = await openConnect(flags);
    const defined = new Map(readDefinitions().map((one) => [one.name, one]));
    const names = [...new Set([...defined.keys(), ...(await api.listNames())])].toSorted();
    const print = rowPrinter({ connector: 24, defined: 8, differs: 8, state: 0 });
    for (const name of names) {
      const status = await api.getStatus(name);
      const definition = defined.get(name);
      const running = await api.getConfig(name);
      const changes =
        definition === undefined || running === undefined ? [] : compareConfig(running, definition);
      const state = describeState(status);
      const isDefined = definition !== undefined;
      if (flags.json === true)
        printJson({ name, isDefined, isRegistered: status !== undefined, differs: changes, state });
      else print([name, isDefined ? 'yes' : 'no', changes.length === 0 ? 'no' : 'yes', state]);
    }
  });

program
  .command('register')
  .description('validate, create or change, and wait until each really ships')
  .argument('[connectors...]', 'names from connectors/ or files; all of connectors/ without')
  .option('--dry-run', 'validate, and print what would change')
  .addHelpText('after', example('register') + example('register my-connector.json --dry-run'))
  .action(async (names: string[], _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags & { dryRun?: true }>();
    const definitions = chooseDefinitions(names);
    if (flags.dryRun === true) return checkAll(await openConnect(flags), definitions, flags, true);
    const { connectUrl, kafka } = readAddresses(process.env, flags.instance, servers);
    watchServers({ connectUrl, kafka });
    await awaitConnect(connectApi(connectUrl), flags.wait);
    // Of several, all are validated before the first is changed.
    if (definitions.length > 1)
      for (const definition of definitions) await refuseInvalid(connectApi(connectUrl), definition);
    const onProgress = (line: string): void =>
      (flags.json === true ? console.error : console.log)(printable(line));
    for (const definition of definitions)
      await reportEach(definition.name, flags, async () => {
        const outcome = await registerConnector({ connectUrl, ...kafka, definition, onProgress });
        if (flags.json === true) printJson({ name: definition.name, outcome });
        if (outcome === 'runs')
          onProgress(`${definition.name}: RUNNING; it sends no heartbeats, so no more can be said`);
        if (outcome === 'held') process.exitCode = 1;
      });
  });

program
  .command('diff')
  .description('what a registered connector has otherwise than its definition: exit code 1')
  .argument('[connectors...]', 'names from connectors/ or files; all of connectors/ without')
  .action(async (names: string[], _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags>();
    const definitions = chooseDefinitions(names);
    const api = await openConnect(flags);
    for (const definition of definitions) {
      const changes = await differences(api, definition);
      if (changes.length > 0) process.exitCode = 1;
      printChanges(definition.name, changes, flags);
    }
  });

program
  .command('validate')
  .description('what Connect finds wrong with a definition, key by key; registers nothing')
  .argument('[connectors...]', 'names from connectors/ or files; all of connectors/ without')
  .action(async (names: string[], _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags>();
    const definitions = chooseDefinitions(names);
    await checkAll(await openConnect(flags), definitions, flags, false);
  });

program
  .command('status')
  .description('state, tasks and how far each has come')
  .argument('[connectors...]', `registered names; ${boardOutbox.name} without`)
  .action(async (names: string[], _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags>();
    const api = await openConnect(flags);
    for (const name of names.length === 0 ? [boardOutbox.name] : names) {
      if (names.length > 0) await statusOf(api, name);
      const report = await describeConnector(api, name);
      if (!report.isRunning) process.exitCode = 1;
      if (flags.json === true) printJson(report);
      else console.log(printable(formatReport(report)));
    }
  });

const verbs: Readonly<Record<Verb, string>> = {
  restart: 'restart a connector and its tasks, whatever their states',
  pause: 'let the tasks rest where they are; they stay assigned',
  resume: 'let a paused or stopped connector go on',
  stop: 'end the tasks; needed before the offsets can be reset',
  delete: 'take a connector out of Connect; its offsets and topics stay',
};
for (const [verb, description] of Object.entries(verbs) as [Verb, string][]) {
  const consequence = consequences[verb];
  const command = program
    .command(verb)
    .description(description)
    .argument('<connectors...>', 'registered names');
  if (consequence !== undefined) command.option('--yes', 'do not ask for confirmation');
  command.action(async (names: string[], _options: unknown, called: Command) => {
    const flags = called.optsWithGlobals<Flags & { yes?: true }>();
    const api = await openConnect(flags);
    // All that can be refused is refused before the first is changed.
    const statuses = await statusesOf(api, names);
    for (const status of statuses) {
      refuseVerb(verb, status);
      if (verb === 'resume' && status.connector.state !== 'RUNNING')
        await refuseHeld(status.name, flags);
    }
    if (consequence !== undefined)
      for (const { name } of statuses)
        await confirm(`${verb} ${name}? It ${consequence}.`, flags.yes);
    for (const status of statuses)
      await reportEach(status.name, flags, async () => {
        const state = await carryOut(api, verb, status);
        if (flags.json === true) printJson({ name: status.name, verb, state });
        else console.log(printable(`${status.name}: ${state}`));
      });
  });
}

program
  .command('offsets')
  .description('the offsets that Connect keeps of a connector')
  .argument('<connector>', 'a registered name')
  .option('--reset', 'forget them; the connector must be STOPPED')
  .option('--yes', 'do not ask for confirmation')
  .addHelpText('after', example('stop board-outbox') + example('offsets board-outbox --reset'))
  .action(async (name: string, _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags & { reset?: true; yes?: true }>();
    const api = await openConnect(flags);
    const { connector } = await statusOf(api, name);
    if (flags.reset !== true) return printOffsets(await api.getOffsets(name), flags);
    if (connector.state !== 'STOPPED')
      throw new Error(`${name} is ${connector.state}: stop it first ("stop ${name}")`);
    await confirm(
      `Reset the offsets of ${name}? Resumed, it begins anew: a connector of Debezium takes a ` +
        'snapshot and, unless its snapshot.mode leaves data out, ships every row that is still ' +
        'there again; consumers drop the copies. "npm run audit" then says whether all is there.',
      flags.yes,
    );
    // Connect refuses it until the tasks have really ended.
    await keepTrying(() => api.deleteOffsets(name), 30_000);
    if (flags.json === true) printJson({ name, outcome: 'reset' });
    else console.log(`${name}: offsets reset; "resume ${name}" starts it anew`);
  });

program
  .command('watch')
  .description('a line for each change of state, until Ctrl-C')
  .argument('[connectors...]', 'registered names; all without')
  .action(async (names: string[], _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags>();
    const api = await openConnect(flags, true);
    await statusesOf(api, names);
    await watchStates(api, names, stopOnSignal(), (change) => {
      if (flags.json === true) printJson(change);
      else console.log(printable(`${change.at}  ${change.name}: ${change.state}`));
    });
  });

await runProgram(program);

/** The statuses of registered connectors, each once. */
async function statusesOf(api: ConnectApi, names: readonly string[]): Promise<ConnectorStatus[]> {
  return Promise.all([...new Set(names)].map((name) => statusOf(api, name)));
}

/** Goes on with the next connector when one has failed; the exit code is 1 then. */
async function reportEach(name: string, { json }: Flags, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = 1;
    const problem = printable(describeError(error));
    if (json === true) printJson({ name, outcome: 'failed', problem });
    else console.error(problem);
  }
}

/** What the keeper has stopped must not go on from where it is. */
async function refuseHeld(name: string, flags: Flags): Promise<void> {
  const { kafka } = readAddresses(process.env, flags.instance, servers);
  const reason = await readHold(kafka, name);
  if (reason === undefined) return;
  throw new Error(describeHold(`${name} stays STOPPED`, reason));
}

function printOffsets(
  offsets: Awaited<ReturnType<ConnectApi['getOffsets']>>,
  { json }: Flags,
): void {
  if (json === true) return printJson(offsets ?? []);
  if (offsets === undefined || offsets.length === 0) console.log('no offsets');
  for (const { partition, offset } of offsets ?? [])
    console.log(printable(`${JSON.stringify(partition)}: ${JSON.stringify(offset)}`));
}

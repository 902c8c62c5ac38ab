import { discardParked, inboxStatus, type InboxStatus } from '@board/inbox';
import { InvalidArgumentError, type Command } from 'commander';
import { parseAggregateId, parseText, parseVersion } from '../cli/arguments.ts';
import { age, counted, printJson, versionSpan } from '../cli/print.ts';
import { runProgram } from '../cli/program.ts';
import { confirm } from '../cli/terminal.ts';
import { consumerNames } from './consumer/consumers.ts';
import {
  createConsumerProgram,
  withOperator,
  type ConsumerFlags,
} from './consumer/with-operator.ts';
import { addBaseline, addRebuild } from './inbox/begin-again.ts';
import { addSchemas } from './inbox/schemas.ts';

const program = createConsumerProgram(
  'npm run inbox --',
  "Shows and repairs a consumer's inbox: its marks and what is parked",
);
const example = (text: string): string => `\nExample: npm run inbox -- ${text}`;

program
  .command('status')
  .description('how far the consumer has come, and what waits')
  .option(
    '--aggregates <n>',
    'how many aggregates with parked records are listed, the longest waiting first',
    parseCount,
    10,
  )
  .addHelpText('after', '\nExample: npm run --silent inbox -- status --json | jq .parkedAggregates')
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ aggregates: number } & ConsumerFlags>();
    await withOperator(flags, async ({ operator, consumer }) => {
      const status = await inboxStatus(operator, consumer.sourceTopic, flags.aggregates);
      // `openLetters` is the name of `openDeadLetters` before, kept for one release.
      if (flags.json === true) printJson({ ...status, openLetters: status.openDeadLetters });
      else
        console.log(
          formatStatus(
            status,
            flags.consumer === consumerNames[0] ? '' : ` --consumer ${flags.consumer}`,
          ),
        );
    });
  });

program
  .command('discard')
  .description(
    'gives up one parked record, for a version whose predecessors will never come; nothing is ' +
      'deleted: it goes to the DLQ',
  )
  .argument('<aggregate>', 'its id', parseAggregateId)
  .argument('<version>', 'of the parked record', parseVersion)
  .requiredOption('--reason <text>', 'why; the reason is stored', parseText)
  .option('--yes', 'do not ask for confirmation')
  .addHelpText(
    'after',
    example('discard 0198c0de-0000-7000-8000-000000000001 1000000000 --reason "forged version"'),
  )
  .action(async (aggregateId: string, version: number, _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ reason: string; yes?: true } & ConsumerFlags>();
    await confirm(`Move the parked version ${version} of ${aggregateId} to the DLQ?`, flags.yes);
    await withOperator(flags, async ({ operator }) => {
      const done = await discardParked(operator, { aggregateId, version, reason: flags.reason });
      const isDone = done.outcome === 'discarded';
      if (flags.json === true)
        printJson({ aggregateId, version, ...done, ...(isDone && { letter: done.id }) });
      else
        console.log(
          isDone
            ? `Discarded: it is dead letter ${done.id} now, open until you replay, skip or ` +
                'dismiss it.'
            : `Version ${version} of ${aggregateId} is not parked; "status" shows what is.`,
        );
      if (!isDone) process.exitCode = 1;
    });
  });

addBaseline(program, example);
addRebuild(program, example);
addSchemas(program, example);

await runProgram(program);

/** The status as text; `flag` names the consumer to the commands that the text mentions. */
function formatStatus(status: InboxStatus, flag: string): string {
  const { parked, openDeadLetters, skipped, missing } = status;
  const deadLetters = Object.entries(openDeadLetters).map(
    ([reason, count]) => `${count} ${reason}`,
  );
  const lines: readonly (readonly [string, string])[] = [
    ['consumer', status.consumer],
    ['members', status.groups.map(({ group, members }) => `${group} ${members}`).join(', ')],
    ['marks', `${status.marks}`],
    [
      'lag',
      status.lag.map(({ partition, records }) => `partition ${partition}: ${records}`).join(', '),
    ],
    ['retries', status.retries.map(({ tier, records }) => `tier ${tier}: ${records}`).join(', ')],
    [
      'dead letters',
      deadLetters.length === 0
        ? 'none open'
        : `${deadLetters.join(', ')} open; "npm run dlq -- list${flag}" shows them`,
    ],
    ['skipped', `${skipped.policy} by policy, ${skipped.hand} by hand`],
    [
      'missing',
      missing.count === 0
        ? 'nothing'
        : `${counted(missing.count, 'range')} of records, until an audit is clean`,
    ],
    ...missing.reasons.map((reason) => ['', reason] as const),
    [
      'parked',
      parked.rows === 0
        ? 'nothing'
        : `${counted(parked.rows, 'record')}, ${counted(parked.bytes, 'byte')}, the oldest for ` +
          age(parked.oldestAgeMs),
    ],
    ...status.parkedAggregates.map(
      (one) =>
        [
          '',
          `${one.aggregateId}: mark ${one.markVersion}, waits for version ` +
            `${one.markVersion + 1}; ` +
            `${one.parked} parked, ${versionSpan(one.firstVersion, one.lastVersion)}, for ` +
            age(one.oldestAgeMs),
        ] as const,
    ),
  ];
  return lines.map(([name, text]) => `${name.padEnd(12)} ${text}`).join('\n');
}

function parseCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be an integer from 0 to 9999.');
}

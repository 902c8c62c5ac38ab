import { baseline, discardParked, inboxStatus, rebuild } from '@board/inbox';
import { InvalidArgumentError, type Command } from 'commander';
import { confirm } from './operate/confirm.ts';
import type { ConsumerRows } from './operate/consumer-rows.ts';
import { addSchemas } from './operate/add-schemas.ts';
import { createProgram } from './operate/create-program.ts';
import { parseAggregateId, parseText, parseVersion } from './operate/parse.ts';
import { counted, printJson } from './operate/print.ts';
import { readBaseline } from './operate/read-baseline.ts';
import { requireFile } from './operate/require-file.ts';
import { runProgram } from './operate/run-program.ts';
import { statusText } from './operate/status-text.ts';
import { UsageError } from './operate/usage-error.ts';
import { withOperator, type GlobalFlags, type Opened } from './operate/with-operator.ts';

const program = createProgram('npm run inbox --', "Shows and repairs a consumer's inbox: its marks and what is parked");
const example = (text: string): string => `\nExample: npm run inbox -- ${text}`;

program
  .command('status')
  .description('how far the consumer has come, and what waits')
  .option('--boards <n>', 'so many boards with parked records, the longest waiting first', parseCount, 10)
  .addHelpText('after', '\nExample: npm run --silent inbox -- status --json | jq .parkedAggregates')
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ boards: number } & GlobalFlags>();
    await withOperator(flags, async ({ operator, consumer }) => {
      const status = await inboxStatus(operator, consumer.sourceTopic, flags.boards);
      if (flags.json === true) printJson(status);
      else console.log(statusText(status));
    });
  });

program
  .command('discard')
  .description('moves one parked record to the DLQ, for a version whose predecessors will never come')
  .argument('<board>', 'aggregate id', parseAggregateId)
  .argument('<version>', 'of the parked record', parseVersion)
  .requiredOption('--reason <text>', 'why; it is kept', parseText)
  .option('--yes', 'does not ask')
  .addHelpText('after', example('discard 0198c0de-0000-7000-8000-000000000001 1000000000 --reason "forged version"'))
  .action(async (aggregateId: string, version: number, _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ reason: string; yes?: true } & GlobalFlags>();
    await confirm(`Move the parked version ${version} of ${aggregateId} to the DLQ?`, flags.yes);
    await withOperator(flags, async ({ operator }) => {
      const done = await discardParked(operator, { aggregateId, version, reason: flags.reason });
      const isDone = done.outcome === 'discarded';
      if (flags.json === true) printJson({ aggregateId, version, ...done });
      else
        console.log(
          isDone
            ? `Discarded: it is letter ${done.letter} now, open until you replay, skip or dismiss it.`
            : `Version ${version} of ${aggregateId} is not parked; "status" shows what is.`,
        );
      if (!isDone) process.exitCode = 1;
    });
  });

program
  .command('baseline')
  .description('seeds marks and rows of a consumer that has never started, for a topic that no longer holds everything')
  .argument('<file>', 'JSON lines {"aggregateId", "version", "eventId", "data"}, or - for standard input')
  .option('--yes', 'does not ask')
  .addHelpText('after', example('baseline boards.jsonl'))
  .action(async (file: string, _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ yes?: true } & GlobalFlags>();
    if (file !== '-') await requireFile('baseline', file);
    await confirm(`Seed the inbox of ${flags.consumer} from ${file}?`, flags.yes);
    await withOperator(flags, async (opened) => {
      const rows = rowsOf(opened, flags);
      const done = await baseline(opened.operator, readBaseline(file), (tx, page) => rows.seed(tx, page));
      if (flags.json === true) printJson(done);
      if (done.outcome === 'seeded') {
        if (flags.json !== true) console.log(`Seeded ${counted(done.marks, 'board')}. Start the consumer.`);
        return;
      }
      console.error(
        done.outcome === 'has-marks'
          ? 'Nothing was seeded: there are marks already. "rebuild" takes them away.'
          : 'Nothing was seeded: the consumer group has members or committed offsets, so it has started before.',
      );
      process.exitCode = 1;
    });
  });

program
  .command('rebuild')
  .description(
    'deletes marks, parked records and rows, and lets the consumer start from the earliest record; skips stay',
  )
  .option('--yes', 'does not ask')
  .addHelpText('after', `${example('rebuild')}\n\nStop every instance of the consumer first.`)
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ yes?: true } & GlobalFlags>();
    await confirm(`Delete all rows and marks of ${flags.consumer} and apply everything again?`, flags.yes);
    await withOperator(flags, async (opened) => {
      const rows = rowsOf(opened, flags);
      const done = await rebuild(opened.operator, (tx) => rows.delete(tx));
      if (flags.json === true) printJson(done);
      if (done.outcome === 'emptied') {
        if (flags.json !== true)
          console.log(
            `Deleted ${counted(done.marks, 'mark')} and ${counted(done.parked, 'parked record')}. Start the consumer.`,
          );
        return;
      }
      console.error(
        `Nothing was deleted: the consumer's groups have ${counted(done.members, 'member')}. Stop every instance first.`,
      );
      process.exitCode = 1;
    });
  });

addSchemas(program, example);

await runProgram(program);

function rowsOf({ consumer }: Opened, flags: GlobalFlags): ConsumerRows {
  if (consumer.rows !== undefined) return consumer.rows;
  throw new UsageError(`--consumer ${flags.consumer}: only a consumer with a name has rows that this command knows.`);
}

function parseCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It wants a whole number.');
}

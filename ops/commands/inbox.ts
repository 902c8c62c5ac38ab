import {
  baseline,
  discardParked,
  findTopicGaps,
  inboxStatus,
  rebuild,
  type TopicGap,
} from '@board/inbox';
import { InvalidArgumentError, type Command } from 'commander';
import { confirm } from '../cli/confirm.ts';
import { deleteRows } from './consumer/consumer-rows.ts';
import { addSchemas } from './inbox/schemas.ts';
import { gapText } from './inbox/gap-text.ts';
import { parseAggregateId, parseText, parseVersion } from '../cli/parse.ts';
import { requireFile } from '../cli/files.ts';
import { counted, printJson } from '../cli/print.ts';
import { readBaseline } from './inbox/read-baseline.ts';
import { statusText } from './inbox/status-text.ts';
import { runProgram, UsageError } from '../cli/program.ts';
import { consumerNames } from './consumer/consumers.ts';
import {
  createConsumerProgram,
  withOperator,
  type ConsumerFlags,
} from './consumer/with-operator.ts';

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
    'so many aggregates with parked records, the longest waiting first',
    parseCount,
    10,
  )
  .addHelpText('after', '\nExample: npm run --silent inbox -- status --json | jq .parkedAggregates')
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ aggregates: number } & ConsumerFlags>();
    await withOperator(flags, async ({ operator, consumer }) => {
      const status = await inboxStatus(operator, consumer.sourceTopic, flags.aggregates);
      if (flags.json === true) printJson(status);
      else
        console.log(
          statusText(
            status,
            flags.consumer === consumerNames[0] ? '' : ` --consumer ${flags.consumer}`,
          ),
        );
    });
  });

program
  .command('discard')
  .description(
    'moves one parked record to the DLQ, for a version whose predecessors will never come',
  )
  .argument('<aggregate>', 'its id', parseAggregateId)
  .argument('<version>', 'of the parked record', parseVersion)
  .requiredOption('--reason <text>', 'why; it is kept', parseText)
  .option('--yes', 'does not ask')
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
            ? `Discarded: it is dead letter ${done.id} now, open until you replay, skip or dismiss it.`
            : `Version ${version} of ${aggregateId} is not parked; "status" shows what is.`,
        );
      if (!isDone) process.exitCode = 1;
    });
  });

program
  .command('baseline')
  .description(
    'seeds marks and rows of a consumer that has never started, for a topic that no longer holds everything',
  )
  .argument(
    '<file>',
    'JSON lines {"aggregateId", "version", "eventId", "data"}, or - for standard input',
  )
  .option('--yes', 'does not ask')
  .addHelpText('after', example('baseline boards.jsonl'))
  .action(async (file: string, _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ yes?: true } & ConsumerFlags>();
    if (file !== '-') await requireFile('baseline', file);
    await confirm(`Seed the inbox of ${flags.consumer} from ${file}?`, flags.yes);
    await withOperator(flags, async (opened) => {
      const { seed } = opened.consumer;
      if (seed === undefined) throw unknownRows(flags);
      const done = await baseline(opened.operator, readBaseline(file), seed);
      if (flags.json === true) printJson(done);
      if (done.outcome === 'seeded') {
        if (flags.json !== true)
          console.log(`Seeded ${counted(done.marks, 'board')}. Start the consumer.`);
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
  .option(
    '--shortened',
    'although the source topic no longer holds everything; what it lacks cannot come back',
  )
  .addHelpText('after', `${example('rebuild')}\n\nStop every instance of the consumer first.`)
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<{ yes?: true; shortened?: true } & ConsumerFlags>();
    await withOperator(flags, async (opened) => {
      const { sourceTopic, tables } = opened.consumer;
      if (tables === undefined) throw unknownRows(flags);
      const { gaps } = await findTopicGaps(opened.operator, sourceTopic);
      if (gaps.length > 0 && flags.shortened !== true) return refuseShortened(gaps, flags);
      const lost = gaps.length === 0 ? '' : `${gapText(gaps)}\n`;
      await confirm(
        `${lost}Delete all rows and marks of ${flags.consumer} and apply everything again?`,
        flags.yes,
      );
      const done = await rebuild(opened.operator, {
        sourceTopic,
        deleteRows: (tx) => deleteRows(tx, tables),
        // Only of gaps that the question named.
        acceptGaps: gaps.length > 0,
      });
      if (done.outcome === 'has-gaps') return refuseShortened(done.gaps, flags);
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

function refuseShortened(gaps: readonly TopicGap[], { json }: ConsumerFlags): void {
  if (json === true) printJson({ outcome: 'has-gaps', gaps });
  console.error(
    `Nothing was deleted: the topic no longer holds everything that was applied.\n${gapText(gaps)}\n` +
      'If the tables are wrong all the same: --shortened deletes them and applies what is left. Before the consumer ' +
      'starts, "baseline" seeds the boards from a file.',
  );
  process.exitCode = 2;
}

function unknownRows({ consumer }: ConsumerFlags): UsageError {
  return new UsageError(
    `--consumer ${consumer}: only a consumer with a name has rows that this command knows.`,
  );
}

function parseCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It wants a whole number.');
}

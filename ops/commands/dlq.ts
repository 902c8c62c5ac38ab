import { once } from 'node:events';
import { listDeadLetters, showDeadLetters, skipVersion } from '@board/inbox';
import type { Command } from 'commander';
import { createFile, parseAggregateId, parseText, parseVersion } from '../cli/arguments.ts';
import { counted, isoTime, printJson, printOutcome, rowPrinter, shorten } from '../cli/print.ts';
import { runProgram } from '../cli/program.ts';
import { confirm } from '../cli/terminal.ts';
import { watchServers } from '../cli/watch-servers.ts';
import {
  createConsumerProgram,
  withOperator,
  type ConsumerFlags,
} from './consumer/with-operator.ts';
import {
  reportUnknown,
  toFilter,
  withFilters,
  type FilterFlags,
} from './dlq/choose-dead-letters.ts';
import { addDismiss } from './dlq/dismiss.ts';
import { deadLetterJson, formatDeadLetter, shownDeadLetterJson } from './dlq/print-dead-letter.ts';
import { addReplay } from './dlq/replay.ts';

interface SkipFlags {
  readonly reason: string;
  readonly lost?: true;
  readonly withoutFollowers?: true;
  readonly yes?: true;
}

const program = createConsumerProgram(
  'npm run dlq --',
  'Shows dead letters and repairs what they block',
);
const example = (text: string): string => `\nExample: npm run dlq -- ${text}`;

withFilters(program.command('list'))
  .description('open dead letters, the oldest failure first')
  .option('--closed', 'those that are closed instead')
  .option('--all', 'open and closed ones')
  .addHelpText('after', example('list --reason attempts-exhausted --since 2h'))
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<
      FilterFlags & { closed?: true; all?: true } & ConsumerFlags
    >();
    await withOperator(flags, async ({ operator }) => {
      const print = rowPrinter({
        'dead letter': 36,
        reason: 18,
        aggregate: 36,
        version: 7,
        mark: 7,
        'last failed': 24,
        error: 0,
      });
      const state = flags.all === true ? 'all' : flags.closed === true ? 'closed' : 'open';
      let count = 0;
      for await (const deadLetter of listDeadLetters(operator, { ...toFilter(flags), state })) {
        count += 1;
        if (flags.json === true) printJson(deadLetterJson(deadLetter));
        else
          print([
            deadLetter.id,
            deadLetter.reason,
            deadLetter.aggregateId ?? '-',
            deadLetter.version ?? '-',
            deadLetter.markVersion,
            isoTime(deadLetter.lastFailedAt) ?? '-',
            shorten(
              `${deadLetter.isBare ? '(bare) ' : ''}${deadLetter.errorClass}: ` +
                deadLetter.errorMessage,
            ),
          ]);
      }
      console.error(count === 0 ? 'No dead letter matches.' : `${counted(count, 'dead letter')}.`);
    });
  });

program
  .command('show')
  .description('dead letters with headers, decoded payload and what waits behind them')
  .argument('<dead letter...>', 'as "list" names them')
  .addHelpText('after', example('show 01a210dc-6682-758a-b9f8-41e7acb32066'))
  .action(async (deadLetters: string[], _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<ConsumerFlags>();
    await withOperator(flags, async ({ operator, registryUrl }) => {
      watchServers({ registryUrl });
      const missing = new Set(deadLetters);
      for await (const shown of showDeadLetters(operator, registryUrl, {
        ids: deadLetters,
        state: 'all',
      })) {
        missing.delete(shown.deadLetter.id);
        if (flags.json === true) printJson(shownDeadLetterJson(shown));
        else console.log(`${formatDeadLetter(shown)}\n`);
      }
      reportUnknown(missing);
    });
  });

addReplay(program);

program
  .command('skip')
  .description(
    "moves an aggregate's mark past the version that blocks it, permanently without its effect",
  )
  .argument('<aggregate>', 'its id', parseAggregateId)
  .argument('<version>', 'the one after the mark', parseVersion)
  .requiredOption('--reason <text>', 'why; the reason is stored', parseText)
  .option(
    '--lost',
    'no record of this version exists any more (the audit says LOST), and a later one waits ' +
      'behind it',
  )
  .option(
    '--without-followers',
    'nothing waits behind it; if the aggregate never had this version, its next event becomes a ' +
      'conflict',
  )
  .option('--yes', 'do not ask for confirmation')
  .addHelpText(
    'after',
    '\n--without-followers is right only when the aggregate has this version (of a board: ' +
      'SELECT version FROM order_service.board) and' +
      '\nits event is lost: neither in the outbox nor in the topic. Else wait for the next ' +
      'change of the aggregate.' +
      example(
        'skip 0198c0de-0000-7000-8000-000000000001 7 --reason "title longer than its column"',
      ),
  )
  .action(async (aggregateId: string, version: number, _options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<SkipFlags & ConsumerFlags>();
    await confirm(
      `Skip version ${version} of ${aggregateId}? Its effect will never happen.`,
      flags.yes,
    );
    await withOperator(flags, async ({ operator }) => {
      const { reason, lost: isLost = false, withoutFollowers = false } = flags;
      const done = await skipVersion(operator, {
        aggregateId,
        version,
        reason,
        isLost,
        withoutFollowers,
      });
      const mark = 'markVersion' in done ? done.markVersion : 0;
      printOutcome(
        flags,
        { aggregateId, version, ...done },
        {
          skipped:
            `Skipped. If version ${version + 1} is parked, the running service tries it ` +
            'now. If the owning service does not have this version, "npm run audit" reports it as ' +
            'AHEAD.',
          'already-passed': `The mark is ${mark}: version ${version} is behind it already.`,
          'not-next': `The mark is ${mark}: version ${mark + 1} comes first.`,
          'unknown-event':
            'No dead letter and no parked record has this version. It may still be in a retry ' +
            'topic: wait, then "list" again. ' +
            'If the audit calls it LOST, use --lost.',
          'unknown-aggregate':
            `This consumer does not know the aggregate ${aggregateId}: no ` +
            'mark, no parked record, no dead letter. Is the id right?',
          'no-followers':
            `Nothing is parked behind version ${version}, so nothing shows that the aggregate ` +
            `${aggregateId} ever had it: its next event would become a conflict. ` +
            'Are id and version right? If so, wait for the next change of the aggregate, or ' +
            'read on --without-followers in --help.',
        },
      );
      if (done.outcome !== 'skipped' && done.outcome !== 'already-passed') process.exitCode = 1;
    });
  });

addDismiss(program);

withFilters(program.command('export'))
  .description('dead letters with their whole records, as JSON lines')
  .option('--all', 'closed ones too')
  .option('--out <file>', 'instead of standard output; it must not exist yet')
  .addHelpText('after', example('export --reason invalid-event --out dead-letters.jsonl'))
  .action(async (_options: unknown, command: Command) => {
    const flags = command.optsWithGlobals<
      FilterFlags & { all?: true; out?: string } & ConsumerFlags
    >();
    await withOperator(flags, async ({ operator, registryUrl }) => {
      watchServers({ registryUrl });
      const file = flags.out === undefined ? undefined : await createFile('--out', flags.out);
      let count = 0;
      const state = flags.all === true ? 'all' : 'open';
      for await (const shown of showDeadLetters(operator, registryUrl, {
        ...toFilter(flags),
        state,
      })) {
        count += 1;
        if (file === undefined) printJson(shownDeadLetterJson(shown));
        else if (!file.write(`${JSON.stringify(shownDeadLetterJson(shown))}\n`))
          await once(file, 'drain');
      }
      if (file) {
        file.end();
        await once(file, 'close');
      }
      console.error(`${counted(count, 'dead letter')}.`);
    });
  });

await runProgram(program);

import { replayDeadLetters, type Replay } from '@board/inbox';
import type { Command } from 'commander';
import { parseRate } from '../../cli/arguments.ts';
import { counted, printJson, rowPrinter } from '../../cli/print.ts';
import { UsageError } from '../../cli/program.ts';
import { showProgress, stopOnSignal } from '../../cli/terminal.ts';
import { withOperator, type ConsumerFlags } from '../consumer/with-operator.ts';
import { reportUnknown, toFilter, withFilters, type FilterFlags } from './choose-dead-letters.ts';

/** Adds `dlq replay`. */
export function addReplay(program: Command): void {
  withFilters(program.command('replay'))
    .description(
      "sends dead letters back to their group's first retry topic, in any order and as often as " +
        'you like',
    )
    .argument(
      '[dead letter...]',
      'as "list" names them; without, every open dead letter that the filters leave',
    )
    .option('--all', 'every open dead letter')
    .option('--dry-run', 'says what would be sent and sends nothing')
    .option('--rate <n>', 'dead letters a second', parseRate)
    .option('--again', 'also what was replayed and has not failed since, or was dismissed')
    .addHelpText(
      'after',
      '\nExample: npm run dlq -- replay --error "timed out" --rate 50 --dry-run' +
        '\n\nInterrupted, it goes on where it stopped when it is run again: what was sent is ' +
        'in-flight.' +
        '\nOutcomes: replayed, would-replay, in-flight, superseded (the mark has passed it), ' +
        'closed, no-identity and conflict' +
        '\n(cannot be replayed: dismiss them), missing (the DLQ no longer holds the record, or ' +
        'was made again),' +
        '\nincomplete (the DLQ holds it bare, and its record is gone from the source topic or ' +
        'too large: skip it), unknown.',
    )
    .action(async (deadLetters: string[], _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<
        FilterFlags & { all?: true; dryRun?: true; again?: true; rate?: number } & ConsumerFlags
      >();
      const filter = toFilter(flags);
      if (deadLetters.length === 0 && Object.keys(filter).length === 0 && flags.all !== true)
        throw new UsageError('Which dead letters? Name them, filter them, or use --all.');
      if (deadLetters.length > 0 && (Object.keys(filter).length > 0 || flags.all === true))
        throw new UsageError('Either name dead letters or filter them: not both.');
      await withOperator(flags, async ({ operator }) => {
        const signal = stopOnSignal();
        const print = rowPrinter({ 'dead letter': 36, aggregate: 36, version: 7, outcome: 0 });
        const counts = new Map<Replay['outcome'], number>();
        const missing = new Set(deadLetters);
        const isNamed = deadLetters.length > 0;
        const hasRows = flags.json === true || isNamed || !process.stdout.isTTY;
        // On a terminal that shows the rows, progress would stand among them.
        const progress =
          !hasRows || (process.stderr.isTTY && !process.stdout.isTTY) ? showProgress() : undefined;
        const { dryRun = false, again = false, rate } = flags;
        const options = { dryRun, again, signal, ...(rate !== undefined && { rate }) };
        const named = isNamed ? { ids: deadLetters, state: 'all' as const } : filter;
        for await (const { deadLetter, outcome } of replayDeadLetters(operator, named, options)) {
          missing.delete(deadLetter.id);
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
          const { id, aggregateId, version } = deadLetter;
          if (flags.json === true) printJson({ id, letter: id, aggregateId, version, outcome });
          else if (hasRows) print([id, aggregateId ?? '-', version ?? '-', outcome]);
          progress?.print(summary(counts));
        }
        if (counts.size === 0) {
          if (!isNamed) console.error('No dead letter matches.');
        } else if (progress === undefined) console.error(summary(counts));
        else progress.done();
        reportUnknown(missing);
        for (const refused of [
          'closed',
          'no-identity',
          'conflict',
          'missing',
          'incomplete',
        ] as const)
          if (counts.has(refused)) process.exitCode = 1;
        if (signal.aborted) {
          console.error('Stopped. What was sent is recorded; the same command goes on from here.');
          process.exitCode = 1;
        }
      });
    });
}

function summary(counts: ReadonlyMap<string, number>): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return (
    `${counted(total, 'dead letter')}: ` +
    [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')
  );
}

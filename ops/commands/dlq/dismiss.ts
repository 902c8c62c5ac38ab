import { dismissDeadLetter, dismissWithoutIdentity } from '@board/inbox';
import type { Command } from 'commander';
import { parseText, parseTime } from '../../cli/arguments.ts';
import { counted, printJson, printOutcome } from '../../cli/print.ts';
import { UsageError } from '../../cli/program.ts';
import { confirm, showProgress } from '../../cli/terminal.ts';
import { withOperator, type ConsumerFlags } from '../consumer/with-operator.ts';
import { toFilter, type FilterFlags } from './choose-dead-letters.ts';

/** `--reason` is why they are dismissed, not the reason of the dead letter. */
interface DismissFlags extends Pick<FilterFlags, 'error' | 'since' | 'until'> {
  readonly reason: string;
  readonly neverExisted?: true;
  readonly withoutIdentity?: true;
  readonly yes?: true;
}

/** Adds `dlq dismiss`. */
export function addDismiss(program: Command): void {
  program
    .command('dismiss')
    .description(
      'closes dead letters that no replay and no skip can close: without an identity, conflict, ' +
        'and with --never-existed',
    )
    .argument('[dead letter...]', 'as "list" names them')
    .requiredOption('--reason <text>', 'why; the reason is stored', parseText)
    .option(
      '--never-existed',
      'also closes dead letters whose version their aggregate never had, such as forged ones',
    )
    .option(
      '--without-identity',
      'every open dead letter of the reason no-identity, instead of named ones',
    )
    .option(
      '--error <text>',
      'of those, only where class or message of the error contain this',
      parseText,
    )
    .option(
      '--since <time>',
      'of those, only what failed last after this: a time, or 15m, 2h, 3d ago',
      parseTime,
    )
    .option('--until <time>', 'of those, only what failed last before this', parseTime)
    .option('--yes', 'do not ask for confirmation')
    .addHelpText(
      'after',
      '\nExample: npm run dlq -- dismiss board/2/4711 --reason "test record of the load test"' +
        '\nExample: npm run dlq -- dismiss --without-identity --since 2h --reason "another ' +
        'program wrote to the topic"',
    )
    .action(async (deadLetters: string[], _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DismissFlags & ConsumerFlags>();
      await (flags.withoutIdentity === true
        ? dismissMany(deadLetters, flags)
        : dismissNamed(deadLetters, flags));
    });
}

async function dismissNamed(
  deadLetters: readonly string[],
  flags: DismissFlags & ConsumerFlags,
): Promise<void> {
  if (deadLetters.length === 0)
    throw new UsageError('Which dead letters? Name them, or use --without-identity.');
  if (Object.keys(narrowing(flags)).length > 0)
    throw new UsageError(
      '--error, --since and --until narrow --without-identity: name dead letters without them.',
    );
  await confirm(
    `Dismiss ${deadLetters.length === 1 ? deadLetters[0] : `${deadLetters.length} dead letters`}?`,
    flags.yes,
  );
  await withOperator(flags, async ({ operator }) => {
    for (const id of deadLetters) {
      const { reason, neverExisted = false } = flags;
      const outcome = await dismissDeadLetter(operator, { id, reason, neverExisted });
      printOutcome(
        flags,
        { id, letter: id, outcome },
        {
          dismissed: `${id}: dismissed.`,
          'not-open': `${id}: is closed already.`,
          unknown: `${id}: there is no such dead letter.`,
          'has-a-place':
            `${id}: its aggregate waits for it. Replay or skip it; --never-existed ` +
            'if the aggregate never had this version.',
        },
      );
      if (outcome === 'unknown' || outcome === 'has-a-place') process.exitCode = 1;
    }
  });
}

async function dismissMany(
  deadLetters: readonly string[],
  flags: DismissFlags & ConsumerFlags,
): Promise<void> {
  if (deadLetters.length > 0)
    throw new UsageError('Either name dead letters or use --without-identity: not both.');
  if (flags.neverExisted === true)
    throw new UsageError(
      '--never-existed needs named dead letters: a dead letter without an identity has no version.',
    );
  await confirm('Dismiss every dead letter without an identity that fits?', flags.yes);
  await withOperator(flags, async ({ operator }) => {
    const progress = showProgress();
    let count = 0;
    for await (const page of dismissWithoutIdentity(operator, narrowing(flags), flags.reason)) {
      count += page.length;
      if (flags.json === true)
        for (const { id } of page) printJson({ id, letter: id, outcome: 'dismissed' });
      progress.print(`${counted(count, 'dead letter')} dismissed`);
    }
    progress.done();
    if (count === 0) console.error('No dead letter matches.');
  });
}

function narrowing({ error, since, until }: DismissFlags) {
  return toFilter({
    ...(error !== undefined && { error }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  });
}

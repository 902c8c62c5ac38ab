import { dismissLetter, dismissWithoutIdentity } from '@board/inbox';
import type { Command } from 'commander';
import { showProgress } from '../../cli/progress.ts';
import { confirm } from '../../cli/confirm.ts';
import { toFilter, type FilterFlags } from './letter-options.ts';
import { parseText, parseTime } from '../../cli/parse.ts';
import { counted, printJson, tell } from '../../cli/print.ts';
import { UsageError } from '../../cli/program.ts';
import { withOperator, type ConsumerFlags } from '../consumer/with-operator.ts';

/** Here `--reason` is why they are dismissed, not why they died. */
interface DismissFlags extends Pick<FilterFlags, 'error' | 'since' | 'until'> {
  readonly reason: string;
  readonly neverExisted?: true;
  readonly withoutIdentity?: true;
  readonly yes?: true;
}

/** `dlq dismiss`. */
export function addDismiss(program: Command): void {
  program
    .command('dismiss')
    .description(
      'closes letters that no replay and no skip can close: without an identity, conflict, and with --never-existed',
    )
    .argument('[letter...]', 'as "list" names them')
    .requiredOption('--reason <text>', 'why; it is kept', parseText)
    .option(
      '--never-existed',
      'also closes letters whose version their board never had, such as forged ones',
    )
    .option(
      '--without-identity',
      'every open letter of the reason no-identity, instead of named ones',
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
    .option('--yes', 'does not ask')
    .addHelpText(
      'after',
      '\nExample: npm run dlq -- dismiss board/2/4711 --reason "test record of the load test"' +
        '\nExample: npm run dlq -- dismiss --without-identity --since 2h --reason "another program wrote to the topic"',
    )
    .action(async (letters: string[], _options: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DismissFlags & ConsumerFlags>();
      await (flags.withoutIdentity === true
        ? dismissMany(letters, flags)
        : dismissNamed(letters, flags));
    });
}

async function dismissNamed(
  letters: readonly string[],
  flags: DismissFlags & ConsumerFlags,
): Promise<void> {
  if (letters.length === 0)
    throw new UsageError('Which letters? Name them, or say --without-identity.');
  if (Object.keys(narrowing(flags)).length > 0)
    throw new UsageError(
      '--error, --since and --until narrow --without-identity: name letters without them.',
    );
  await confirm(
    `Dismiss ${letters.length === 1 ? letters[0] : `${letters.length} letters`}?`,
    flags.yes,
  );
  await withOperator(flags, async ({ operator }) => {
    for (const letter of letters) {
      const { reason, neverExisted = false } = flags;
      const outcome = await dismissLetter(operator, { letter, reason, neverExisted });
      tell(
        flags,
        { letter, outcome },
        {
          dismissed: `${letter}: dismissed.`,
          'not-open': `${letter}: is closed already.`,
          unknown: `${letter}: there is no such letter.`,
          'has-a-place': `${letter}: its board waits for it. Replay or skip it; --never-existed if the board never had this version.`,
        },
      );
      if (outcome === 'unknown' || outcome === 'has-a-place') process.exitCode = 1;
    }
  });
}

async function dismissMany(
  letters: readonly string[],
  flags: DismissFlags & ConsumerFlags,
): Promise<void> {
  if (letters.length > 0)
    throw new UsageError('Either name letters or say --without-identity: not both.');
  if (flags.neverExisted === true)
    throw new UsageError(
      '--never-existed is said of named letters: a letter without an identity has no version.',
    );
  await confirm('Dismiss every letter without an identity that fits?', flags.yes);
  await withOperator(flags, async ({ operator }) => {
    const progress = showProgress();
    let count = 0;
    for await (const page of dismissWithoutIdentity(operator, narrowing(flags), flags.reason)) {
      count += page.length;
      if (flags.json === true)
        for (const { letter } of page) printJson({ letter, outcome: 'dismissed' });
      progress.say(`${counted(count, 'letter')} dismissed`);
    }
    progress.done();
    if (count === 0) console.error('No letter fits.');
  });
}

function narrowing({ error, since, until }: DismissFlags) {
  return toFilter({
    ...(error !== undefined && { error }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  });
}

import { deadLetterReasons, type DeadLetterFilter } from '@board/inbox';
import { Option, type Command } from 'commander';
import { parseAggregateId, parseText, parseTime } from '../../cli/arguments.ts';

/** The options of withFilters as commander parses them; times in ms since the epoch. */
export interface FilterFlags {
  readonly reason?: (typeof deadLetterReasons)[number];
  readonly aggregate?: string;
  readonly error?: string;
  readonly since?: number;
  readonly until?: number;
}

/** Adds --reason, --aggregate, --error, --since and --until. */
export function withFilters(command: Command): Command {
  return command
    .addOption(new Option('--reason <reason>', 'only this reason').choices(deadLetterReasons))
    .option('--aggregate <id>', 'only of this aggregate', parseAggregateId)
    .option('--error <text>', 'only where class or message of the error contain this', parseText)
    .option(
      '--since <time>',
      'only what failed last after this: a time, or 15m, 2h, 3d ago',
      parseTime,
    )
    .option('--until <time>', 'only what failed last before this', parseTime);
}

/** The filter of the operator package; empty when no option is set. */
export function toFilter({
  reason,
  aggregate,
  error,
  since,
  until,
}: FilterFlags): DeadLetterFilter {
  return {
    ...(reason !== undefined && { reason }),
    ...(aggregate !== undefined && { aggregateId: aggregate }),
    ...(error !== undefined && { error }),
    ...(since !== undefined && { sinceMs: since }),
    ...(until !== undefined && { untilMs: until }),
  };
}

/** Prints each dead letter that was named and does not exist, and sets the exit code to 1. */
export function reportUnknown(deadLetters: ReadonlySet<string>): void {
  for (const deadLetter of deadLetters)
    console.error(
      `${deadLetter}: there is no such dead letter; "list --all" shows those there are.`,
    );
  if (deadLetters.size > 0) process.exitCode = 1;
}

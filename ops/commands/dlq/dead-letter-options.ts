import { deadLetterReasons, type DeadLetterFilter } from '@board/inbox';
import { Option, type Command } from 'commander';
import { parseAggregateId, parseText, parseTime } from '../../cli/parse.ts';

export interface FilterFlags {
  readonly reason?: (typeof deadLetterReasons)[number];
  readonly aggregate?: string;
  readonly error?: string;
  readonly since?: number;
  readonly until?: number;
}

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

import { deadLetterReasons, type LetterFilter } from '@board/inbox';
import { Option, type Command } from 'commander';
import { parseAggregateId, parseText, parseTime } from '../../cli/parse.ts';

export interface FilterFlags {
  readonly reason?: (typeof deadLetterReasons)[number];
  readonly board?: string;
  readonly error?: string;
  readonly since?: number;
  readonly until?: number;
}

export function withFilters(command: Command): Command {
  return command
    .addOption(new Option('--reason <reason>', 'only this reason').choices(deadLetterReasons))
    .option('--board <id>', 'only of this board (aggregate id)', parseAggregateId)
    .option('--error <text>', 'only where class or message of the error contain this', parseText)
    .option(
      '--since <time>',
      'only what failed last after this: a time, or 15m, 2h, 3d ago',
      parseTime,
    )
    .option('--until <time>', 'only what failed last before this', parseTime);
}

export function toFilter({ reason, board, error, since, until }: FilterFlags): LetterFilter {
  return {
    ...(reason !== undefined && { reason }),
    ...(board !== undefined && { aggregateId: board }),
    ...(error !== undefined && { error }),
    ...(since !== undefined && { sinceMs: since }),
    ...(until !== undefined && { untilMs: until }),
  };
}

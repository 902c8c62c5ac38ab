import { consumers } from '@board/contracts';
import { existsSync } from 'node:fs';
import { readAddresses, readLocalStack } from '../cli/addresses.ts';
import { parseAggregateId, parseTime, requireFile } from '../cli/arguments.ts';
import { printJson } from '../cli/print.ts';
import { createProgram, describeError, runProgram, type CommonFlags } from '../cli/program.ts';
import { showProgress, stopOnSignal } from '../cli/terminal.ts';
import { watchServers } from '../cli/watch-servers.ts';
import { formatTimeline } from './trace/format-timeline.ts';
import { openLogs } from './trace/read-logs.ts';
import { traceAggregate } from './trace/trace-aggregate.ts';

interface Flags extends CommonFlags {
  readonly since?: number;
  readonly logs?: readonly string[];
  readonly toEnd?: true;
}

/** The account reads both schemas and writes nothing. */
const servers = {
  servers: ['database', 'kafka'],
  account: { user: 'audit', database: 'order_service' },
} as const;

const program = createProgram({
  name: 'npm run trace --',
  description:
    'Follows an aggregate, such as a board, through the pipeline, event by event: request, ' +
    'commit, topic, retries, applied; reads only, while everything runs',
  servers,
  exitCodes:
    '0 done, 1 no such aggregate, or a server does not answer, 2 the command was given wrongly.',
  notes:
    '\nTimes are by the clock of the process that wrote them: between machines, milliseconds ' +
    'are as exact as their clocks.' +
    '\nThe topic is read from ten minutes before the aggregate was created (or --since) ' +
    'until every' +
    '\nevent that outbox, logs or consumer name is found, else to its end.' +
    '\n\nExample: docker compose logs --no-color order-service catalog-service-1 | npm run ' +
    'trace -- <id> --logs -',
})
  .argument('<id>', 'of the aggregate, such as a board', parseAggregateId)
  .option('--since <time>', 'only what happened after this: a time, or 15m, 2h, 3d ago', parseTime)
  .option(
    '--to-end',
    'reads the topic to its end, for copies too that came after every known event was found',
  )
  .option(
    '--logs <file...>',
    "the services' logs, - for standard input; default: those of the local stack",
  )
  .action(async (aggregateId: string, { instance, since, toEnd, logs, json }: Flags) => {
    for (const file of logs ?? []) if (file !== '-') await requireFile('--logs', file);
    const { database, kafka } = readAddresses(process.env, instance, servers);
    watchServers({ database, kafka });
    const progress = showProgress();
    const signal = stopOnSignal();
    // Once for all consumers, because standard input can be read once.
    const read = openLogs({
      files: logs ?? findLogs(instance),
      aggregateId,
      printProgress: progress.print,
      signal,
    });
    let isKnown = false;
    for (const consumer of consumers) {
      const traced = await traceAggregate({
        aggregateId,
        consumer,
        database,
        kafka,
        logs: read,
        sinceMs: since,
        toEnd,
        printProgress: progress.print,
        signal,
      })
        .catch((error: unknown) => {
          // A failure at one consumer, such as a missing database, must not hide what another has.
          if (!isKnown || signal.aborted) throw error;
          console.error(`consumer ${consumer.name}: ${describeError(error)}`);
          process.exitCode = 1;
          return undefined;
        })
        .finally(progress.done);
      if (traced === undefined) continue;
      isKnown = true;
      if (json === true) printJson(traced.timeline);
      else console.log(formatTimeline(traced.timeline, traced.searched));
    }
    if (!isKnown)
      throw new Error(
        `There is no ${aggregateId}: neither its own service nor a consumer knows it.`,
      );
  });

await runProgram(program);

/** The services' logs of the local stack, of the start before too; none of other servers. */
function findLogs(instance: string): string[] {
  if (process.env['DATABASE_HOST'] !== undefined) return [];
  return (readLocalStack(instance)?.logFiles ?? [])
    .filter(({ name }) => /-service(-\d+)?$/.test(name))
    .flatMap(({ logFile }) => [`${logFile}.1`, logFile])
    .filter((file) => existsSync(file));
}

import { Command } from 'commander';
import { showProgress } from './audit/show-progress.ts';
import { parseAggregateId, parseTime } from './operate/parse.ts';
import { printJson } from './operate/print.ts';
import { requireFile } from './operate/require-file.ts';
import { runProgram } from './operate/run-program.ts';
import { stopOnSignal } from './operate/stop-on-signal.ts';
import { watchServers } from './operate/watch-servers.ts';
import { formatTimeline } from './trace/format-timeline.ts';
import { traceAddresses } from './trace/trace-addresses.ts';
import { traceBoard } from './trace/trace-board.ts';

interface Flags {
  readonly instance: string;
  readonly since?: number;
  readonly logs?: readonly string[];
  readonly toEnd?: true;
  readonly json?: true;
}

const program = new Command('npm run trace --')
  .description(
    'Follows a board through the pipeline, event by event: request, commit, topic, retries, applied; reads only, while everything runs',
  )
  .argument('<board>', 'id of the board', parseAggregateId)
  .option('--since <time>', 'only what happened after this: a time, or 15m, 2h, 3d ago', parseTime)
  .option('--to-end', 'reads the topic to its end, for copies too that came after every known event was found')
  .option('--logs <file...>', "the services' logs, - for standard input; default: those of the local stack")
  .option('--instance <name>', 'the local stack to ask where the environment names no addresses', 'main')
  .option('--json', 'JSON for programs')
  .exitOverride()
  .addHelpText(
    'after',
    '\nTimes are by the clock of the process that noted them: between machines, milliseconds are as exact as their clocks.' +
      '\nThe topic is read from ten minutes before the board was created (or --since) until every' +
      '\nevent that outbox, logs or consumer name is found, else to its end.' +
      '\n\nExample: docker compose logs --no-color order-service catalog-service-1 | npm run trace -- <board> --logs -' +
      '\nEnvironment: DATABASE_HOST, _PORT, _USER (audit), _PASSWORD, KAFKA_BROKERS;' +
      '\nKAFKA_USER, KAFKA_PASSWORD, KAFKA_CA_FILE where Kafka asks for a login.' +
      '\nSERVER_DEADLINE_MS (60000): how long a server may say nothing before the command ends.' +
      '\nExit code: 0 done, 1 no such board, or a server does not answer, 2 the command was given wrongly.',
  )
  .action(async (boardId: string, { instance, since, toEnd, logs, json }: Flags) => {
    for (const file of logs ?? []) if (file !== '-') await requireFile('--logs', file);
    const { database, kafka, logFiles } = traceAddresses(process.env, instance);
    watchServers({ database, kafka });
    const progress = showProgress();
    const traced = await traceBoard({
      boardId,
      database,
      kafka,
      logFiles: logs ?? logFiles,
      sinceMs: since,
      toEnd,
      say: progress.say,
      signal: stopOnSignal(),
    }).finally(progress.done);
    if (traced === undefined)
      throw new Error(`There is no board ${boardId}: neither order-service nor catalog-service knows it.`);
    if (json === true) printJson(traced.timeline);
    else console.log(formatTimeline(traced.timeline, traced.looked));
  });

await runProgram(program);

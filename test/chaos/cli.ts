import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { onStopSignals } from '../../stack/commands/start.ts';
import { renderTable } from '../../stack/commands/status.ts';
import { checkout, instancesFolder, locateInstance } from '../../stack/instance/instance.ts';
import { attachStack, type ChaosStack } from './chaos-stack.ts';
import { undoFaults } from './faults.ts';
import { printVerdict } from './checker/print-verdict.ts';
import { type PlantName, plantNames } from './plants.ts';
import {
  type ChaosResult,
  describeCommit,
  findResult,
  nameOf,
  type RunSettings,
  storeResult,
} from './results.ts';
import { runChaos, type ScheduleFile } from './run-chaos.ts';
import { drawSchedule, findProblem } from './schedule.ts';

interface Flags {
  readonly seed: number;
  readonly seeds?: readonly number[];
  readonly minutes: number;
  readonly clients?: number;
  readonly instance?: string;
  readonly yes?: true;
  readonly replay?: string;
  readonly undo?: true;
  readonly plant?: PlantName;
  readonly json?: true;
}

const exitCodes = { clean: 0, violation: 1, 'not run': 2 } as const;

const program = new Command('npm run chaos --')
  .description(
    'Disturbs a whole stack under traffic, lets it heal, and checks the outcome of every command',
  )
  .option('--seed <n>', 'what goes wrong, and when', parseInteger, 1)
  .option(
    '--seeds <from-to>',
    'these seeds one after the other; those that have run at this commit are left out',
    parseRange,
  )
  .option('--minutes <m>', 'how long something goes wrong', parseMinutes, 1)
  .option('--clients <n>', 'how many send commands (12, or as the replayed run had)', parseInteger)
  .option(
    '--instance <name>',
    'a running stack instead of one made for the run; its links are left alone',
  )
  .option(
    '--yes',
    'needed with --instance: its processes are killed and its topics get foreign records',
  )
  .option('--replay <file>', 'the schedule.json of a run, instead of one drawn from the seed')
  .option('--undo', 'no run: ends what one that was killed has left on the --instance')
  .addOption(
    new Option('--plant <name>', 'with a bug planted in the services, which must be found').choices(
      plantNames,
    ),
  )
  .option('--json', 'each result as a line of JSON, progress on standard error')
  .addHelpText(
    'after',
    '\nExit code: 0 nothing is wrong, 1 a promise was broken, 2 it could not run.' +
      `\nWhat a run leaves is in ${join('.stack', 'chaos-runs')}; of one that is not clean, all logs and the ledger too.`,
  )
  // Commander's own code for a wrong option is 1, which is a broken promise here.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitCodes['not run']))
  .action(run);

await program.parseAsync().catch((error: unknown) => {
  // Node's own code for an error is 1, which is a broken promise here.
  console.error(error);
  process.exit(exitCodes['not run']);
});

async function run(flags: Flags): Promise<void> {
  const { instance } = flags;
  if (flags.undo)
    return instance === undefined ? refuse('--undo needs the --instance.') : undo(instance);
  if (instance !== undefined) {
    // Before anything is written below its folder.
    const problem = problemOfName(instance);
    if (problem !== undefined) return refuse(problem);
  }
  if (instance !== undefined && flags.yes !== true)
    return refuse(`--instance ${instance} kills its processes: add --yes if that is meant.`);
  if (instance !== undefined && flags.plant !== undefined)
    return refuse('--plant needs a stack of its own: leave out --instance.');
  if (flags.replay !== undefined && flags.seeds !== undefined)
    return refuse('--replay repeats the faults of one file: leave out --seeds.');
  const hasProxies = instance === undefined;
  const replayed = flags.replay === undefined ? undefined : readSchedule(flags.replay, hasProxies);
  if (typeof replayed === 'string') return refuse(replayed);

  const interrupted = new AbortController();
  let stack: ChaosStack | undefined;
  void onStopSignals({
    first(signal) {
      console.error(
        `${signal}: ending every fault and what was started; once more ends it at once`,
      );
      interrupted.abort(new Error('interrupted'));
    },
    again() {
      stack?.killAll();
      if (instance !== undefined)
        console.error(`What was left disturbed: npm run chaos -- --undo --instance ${instance}`);
      process.exit(exitCodes['not run']);
    },
  });

  const runs = join(instancesFolder, 'chaos-runs');
  const results: ChaosResult[] = [];
  for (const seed of flags.seeds ?? [replayed?.seed ?? flags.seed]) {
    if (interrupted.signal.aborted) break;
    const commit = describeCommit(checkout);
    const settings: RunSettings = {
      seed,
      minutes: flags.minutes,
      clients: flags.clients ?? replayed?.clients ?? 12,
      instance,
      plant: flags.plant ?? replayed?.plant,
      isReplay: replayed !== undefined,
    };
    const known = flags.seeds === undefined ? undefined : findResult(runs, commit, settings);
    const schedule =
      replayed?.schedule ?? drawSchedule(seed, { durationMs: flags.minutes * 60_000, hasProxies });
    const result =
      known ??
      (await runChaos({
        ...settings,
        schedule,
        folder: join(runs, commit, nameOf(settings), new Date().toISOString().replaceAll(':', '')),
        say: (line) => (flags.json ? console.error(line) : console.log(line)),
        signal: interrupted.signal,
        onOpen: (opened) => (stack = opened),
      }));
    if (known === undefined)
      storeResult(runs, [commit, describeCommit(checkout)], settings, result);
    results.push(result);
    if (flags.json) console.log(JSON.stringify(result));
    else printResult(result, known !== undefined);
    // What was refused before anything was done is refused for the next seed too.
    if (!existsSync(result.folder) && known === undefined) break;
  }
  if (flags.seeds !== undefined && !flags.json) console.log(summary(results));
  // What still waits for something that was ended must not keep the process.
  process.exit(exitCode(results, interrupted.signal.aborted));
}

/** Of a stack of its own nothing is left: the next run ends its processes and deletes its data. */
async function undo(instance: string): Promise<void> {
  const stack = await attachStack(instance).catch(describe);
  if (typeof stack === 'string') return refuse(stack);
  for (const done of await undoFaults(stack)) console.log(done);
  await stack.stop();
}

function problemOfName(instance: string): string | undefined {
  try {
    locateInstance(instance);
    return undefined;
  } catch (error) {
    return describe(error);
  }
}

/** What went wrong in another run, or one sentence when it cannot be repeated. */
function readSchedule(file: string, hasProxies: boolean): ScheduleFile | string {
  if (!existsSync(file)) return `--replay names ${file}, and there is no such file.`;
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Partial<ScheduleFile>;
    if (typeof read.seed !== 'number' || !Array.isArray(read.schedule))
      return `${file} is no schedule.json of a run.`;
    const problem = findProblem(read.schedule, hasProxies);
    if (problem !== undefined) return `${file}: ${problem}.`;
    if (read.plant !== undefined && !hasProxies)
      return `${file}: its planted bug needs a stack of its own.`;
    return read as ScheduleFile;
  } catch (error) {
    return `${file} cannot be read: ${describe(error)}`;
  }
}

function printResult(result: ChaosResult, isKnown: boolean): void {
  const {
    seed,
    operations,
    events,
    verdict,
    problem,
    violations,
    folder,
    quietAfterMs,
    endedByThemselves,
  } = result;
  const { ok, refused, unknown } = operations;
  if (verdict !== 'not run') {
    console.log(`commands: ${ok} ok, ${refused} refused, ${unknown} unknown`);
    console.log(
      `events: ${events.applied} applied, ${events.copies} copies, ${events.refusedByHandler} refused by the handler, ` +
        `${events.parked} parked at most, ${events.deadLetters} dead letters`,
    );
    if (endedByThemselves.length > 0)
      console.log(`ended by themselves: ${endedByThemselves.join(', ')}`);
    console.log(
      quietAfterMs === null ? 'never quiet' : `quiet after ${(quietAfterMs / 1_000).toFixed(1)} s`,
    );
  }
  if (violations.length > 0) console.log(printVerdict(violations));
  const why = problem === undefined ? '' : `: ${problem}`;
  const known = isKnown ? ', as it was found before' : '';
  const where = existsSync(folder)
    ? `; ${verdict === 'clean' ? '' : 'logs, ledger and timeline in '}${folder}`
    : '';
  console.log(`seed ${seed}: ${verdict}${why}${known}${where}`);
}

function summary(results: readonly ChaosResult[]): string {
  const rows = results.map(
    ({ seed, verdict, faults, operations, events, quietAfterMs, violations }) => [
      String(seed),
      verdict,
      String(faults),
      String(operations.ok),
      String(operations.refused),
      String(operations.unknown),
      String(events.applied),
      String(events.copies),
      String(events.parked),
      String(events.deadLetters),
      quietAfterMs === null ? '-' : (quietAfterMs / 1_000).toFixed(1),
      violations[0]?.sentence ?? '',
    ],
  );
  const head = [
    'seed',
    'verdict',
    'faults',
    'ok',
    'refused',
    'unknown',
    'applied',
    'copies',
    'parked',
    'dead',
    'quiet (s)',
    '',
  ];
  return renderTable(head, rows);
}

function exitCode(results: readonly ChaosResult[], isInterrupted: boolean): number {
  const verdicts = new Set(results.map(({ verdict }) => verdict));
  if (verdicts.has('violation')) return exitCodes.violation;
  return isInterrupted || verdicts.has('not run') ? exitCodes['not run'] : exitCodes.clean;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function refuse(sentence: string): void {
  console.error(sentence);
  process.exitCode = exitCodes['not run'];
}

function parseInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be an integer from 1');
  return Number(text);
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes > 0 && minutes <= 600))
    throw new InvalidArgumentError(
      'must be minutes: more than 0 and at most 600, such as 3 or 0.5',
    );
  return minutes;
}

function parseRange(text: string): readonly number[] {
  const [from, to] = /^(\d{1,9})-(\d{1,9})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (from === undefined || to === undefined || from < 1 || to < from || to - from >= 10_000)
    throw new InvalidArgumentError(
      'must be the first and the last of at most 10000 seeds, from 1 on, such as 1-20',
    );
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

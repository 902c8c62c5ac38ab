import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { onStopSignals } from '../../stack/commands/on-stop-signals.ts';
import { renderTable } from '../../stack/commands/render-table.ts';
import { checkout, instancesFolder } from '../../stack/instance/instance.ts';
import { printVerdict } from './judge/print-verdict.ts';
import { plantNames, type PlantName } from './plants.ts';
import { runChaos, type ChaosResult, type ScheduleFile } from './run-chaos.ts';
import { drawSchedule, type ScheduledFault } from './schedule.ts';

interface Flags {
  readonly seed: number;
  readonly seeds?: readonly number[];
  readonly minutes: number;
  readonly clients: number;
  readonly instance?: string;
  readonly yes?: true;
  readonly replay?: string;
  readonly plant?: PlantName;
  readonly json?: true;
}

const exitCodes = { clean: 0, violation: 1, 'not run': 2 } as const;

const program = new Command('npm run chaos --')
  .description('Disturbs a whole stack under traffic, lets it heal, and judges what became of every command')
  .option('--seed <n>', 'what goes wrong, and when', wholeNumber, 1)
  .option(
    '--seeds <from-to>',
    'these seeds one after the other; those that have run at this commit are left out',
    range,
  )
  .option('--minutes <m>', 'how long something goes wrong', positive, 1)
  .option('--clients <n>', 'how many send commands', wholeNumber, 12)
  .option('--instance <name>', 'a running stack instead of one made for the run; its links are left alone')
  .option('--yes', 'needed with --instance: its processes are killed and its topics get foreign records')
  .option('--replay <file>', 'the schedule.json of a run, instead of one drawn from the seed')
  .addOption(
    new Option('--plant <name>', 'with a bug planted in the services, which must be found').choices(plantNames),
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

await program.parseAsync();

async function run(flags: Flags): Promise<void> {
  if (flags.instance !== undefined && flags.yes !== true)
    return refuse(`--instance ${flags.instance} kills its processes: add --yes if that is meant.`);
  if (flags.instance !== undefined && flags.plant !== undefined)
    return refuse('--plant needs a stack of its own: leave out --instance.');
  const replayed = flags.replay === undefined ? undefined : readSchedule(flags.replay);
  if (typeof replayed === 'string') return refuse(replayed);

  const interrupted = new AbortController();
  void onStopSignals({
    first(signal) {
      console.error(`${signal}: ending every fault and what was started; once more ends it at once`);
      interrupted.abort(new Error('interrupted'));
    },
    again: () => process.exit(exitCodes['not run']),
  });

  const commit = describeCommit();
  const results: ChaosResult[] = [];
  for (const seed of flags.seeds ?? [replayed?.seed ?? flags.seed]) {
    if (interrupted.signal.aborted) break;
    const schedule = replayed?.schedule ?? draw(seed, flags);
    const plant = flags.plant ?? replayed?.plant;
    const name = nameOf(seed, flags, plant);
    const known = flags.seeds === undefined ? undefined : findResult(commit, name);
    const folder = join(instancesFolder, 'chaos-runs', commit, name, new Date().toISOString().replaceAll(':', ''));
    const result =
      known ??
      (await runChaos({
        seed,
        schedule,
        instance: flags.instance,
        plant,
        clients: flags.clients,
        folder,
        say: (line) => (flags.json ? console.error(line) : console.log(line)),
        signal: interrupted.signal,
      }));
    results.push(result);
    if (flags.json) console.log(JSON.stringify(result));
    else tell(result, known !== undefined);
  }
  if (flags.seeds !== undefined && !flags.json) console.log(summary(results));
  // What still waits for something that was ended must not keep the process.
  process.exit(exitCode(results, interrupted.signal.aborted));
}

function draw(seed: number, { minutes, instance }: Flags): readonly ScheduledFault[] {
  const durationMs = minutes * 60_000;
  return drawSchedule(seed, { durationMs, hasProxies: instance === undefined });
}

function readSchedule(file: string): ScheduleFile | string {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Partial<ScheduleFile>;
    if (typeof read.seed !== 'number' || !Array.isArray(read.schedule)) return `${file} is no schedule.json of a run.`;
    return read as ScheduleFile;
  } catch (error) {
    return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Of a tree with changes nothing is known: it may be another one each time. */
function describeCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--abbrev=12', '--dirty', '--exclude=*'], {
      cwd: checkout,
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'no-commit';
  }
}

function nameOf(seed: number, flags: Flags, plant: PlantName | undefined): string {
  const { minutes, clients, instance } = flags;
  const parts = [`seed-${seed}`, `${minutes}m`, `${clients}c`, instance, plant];
  return parts.filter(Boolean).join('_');
}

/** The last result of a run like this one at this commit, unless it could not run. */
function findResult(commit: string, name: string): ChaosResult | undefined {
  if (commit.endsWith('-dirty') || commit === 'no-commit') return undefined;
  const folder = join(instancesFolder, 'chaos-runs', commit, name);
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .toSorted()
    .toReversed()
    .map((run) => join(folder, run, 'result.json'))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as ChaosResult)
    .find(({ verdict }) => verdict !== 'not run');
}

function tell(result: ChaosResult, isKnown: boolean): void {
  const { seed, operations, events, verdict, problem, violations, folder, drainMs } = result;
  const { ok, refused, unknown } = operations;
  if (verdict !== 'not run') {
    console.log(`commands: ${ok} ok, ${refused} refused, ${unknown} unknown`);
    console.log(
      `events: ${events.applied} applied, ${events.copies} copies, ${events.refusedByHandler} refused by the handler, ` +
        `${events.parked} parked at most, ${events.deadLetters} dead letters`,
    );
    console.log(drainMs === null ? 'never quiet' : `quiet after ${(drainMs / 1_000).toFixed(1)} s`);
  }
  if (violations.length > 0) console.log(printVerdict(violations));
  const why = problem === undefined ? '' : `: ${problem}`;
  const known = isKnown ? ', as it was found before' : '';
  const where = existsSync(folder) ? `; ${verdict === 'clean' ? '' : 'logs, ledger and timeline in '}${folder}` : '';
  console.log(`seed ${seed}: ${verdict}${why}${known}${where}`);
}

function summary(results: readonly ChaosResult[]): string {
  const rows = results.map(({ seed, verdict, faults, operations, events, drainMs, violations }) => [
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
    drainMs === null ? '-' : (drainMs / 1_000).toFixed(1),
    violations[0]?.sentence ?? '',
  ]);
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

function refuse(sentence: string): void {
  console.error(sentence);
  process.exitCode = exitCodes['not run'];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 on');
  return Number(text);
}

function positive(text: string): number {
  const minutes = Number(text);
  if (!(minutes > 0 && minutes <= 600)) throw new InvalidArgumentError('must be a number of minutes, up to 600');
  return minutes;
}

function range(text: string): readonly number[] {
  const [from, to] = /^(\d{1,9})-(\d{1,9})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (from === undefined || to === undefined || from < 1 || to < from || to - from >= 10_000)
    throw new InvalidArgumentError('must be two whole numbers like 1-20');
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

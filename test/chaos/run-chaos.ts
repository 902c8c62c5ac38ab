import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { checkDisk } from '../../stack/check/checks.ts';
import { attachStack, startOwnStack, type ChaosStack } from './chaos-stack.ts';
import { startClients } from './clients.ts';
import { findHealthProblem, quiesceStack } from './quiesce.ts';
import type { ChaosRun, History } from './history.ts';
import type { Evidence, Violation } from './checker/evidence.ts';
import { collectEvidence, type CheckedStack } from './checker/collect-evidence.ts';
import { checkRun } from './checker/check-run.ts';
import { openLedger } from './ledger.ts';
import type { PlantName } from './plants.ts';
import { runSchedule } from './run-schedule.ts';
import { writeWhole, type ChaosResult } from './results.ts';
import type { ScheduledFault } from './schedule.ts';
import { watchStack, type Watch } from './watch-stack.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly schedule: readonly ScheduledFault[];
  /** A stack that runs already; undefined: one that is made for the run. */
  readonly instance: string | undefined;
  readonly plant: PlantName | undefined;
  readonly clients: number;
  /** Made for the run: what it leaves goes here. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Told of the stack as soon as it runs. */
  readonly onOpen?: (stack: ChaosStack) => void;
}

/** How long clients send commands after the last fault, so that its effects meet traffic. */
const undisturbedMs = 3_000;
const answersWithinMs = 60_000;
/** A run with fewer commands proves nothing. */
const fewestDone = 10;

/**
 * Disturbs a stack under traffic, lets it heal, and checks the outcome of every command. Never
 * throws.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { folder, signal } = options;
  const startedAt = Date.now();
  let hasBegun = false;
  const say = (line: string): void => {
    hasBegun = true;
    const text = `${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${line}`;
    options.say(text);
    try {
      appendFileSync(join(folder, 'timeline.log'), `${new Date().toISOString()} ${text}\n`);
    } catch {
      // A full disk must not keep a fault from being ended.
    }
  };
  let stack: ChaosStack | undefined;
  let result: ChaosResult;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'schedule.json'),
      `${JSON.stringify(scheduleFile(options), null, 2)}\n`,
    );
    stack = await openStack(options, say);
    options.onOpen?.(stack);
    result = await disturb(stack, options, say);
  } catch (error) {
    result = { ...emptyResult(options), problem: signal.aborted ? 'interrupted' : describe(error) };
    if (stack === undefined && !hasBegun) {
      // Refused before anything was done.
      rmSync(folder, { recursive: true, force: true });
      return result;
    }
  }
  keep(result, stack?.logDir, say);
  await stack
    ?.stop()
    .catch((error: unknown) => say(`the stack could not be stopped: ${describe(error)}`));
  return result;
}

export interface ScheduleFile {
  readonly seed: number;
  readonly clients: number;
  readonly plant?: PlantName;
  readonly schedule: readonly ScheduledFault[];
}

function scheduleFile({ seed, clients, plant, schedule }: ChaosOptions): ScheduleFile {
  return { seed, clients, ...(plant !== undefined && { plant }), schedule };
}

function emptyResult({ seed, schedule, folder }: ChaosOptions): ChaosResult {
  return {
    seed,
    verdict: 'not run',
    faults: schedule.length,
    operations: { ok: 0, refused: 0, unknown: 0 },
    events: { applied: 0, copies: 0, parked: 0, refusedByHandler: 0, deadLetters: 0 },
    connectorFailed: false,
    endedByThemselves: [],
    quietAfterMs: null,
    violations: [],
    folder,
  };
}

/** The result first: a full disk may have no room for the logs. Never throws. */
function keep(result: ChaosResult, logDir: string | undefined, say: (line: string) => void): void {
  const { folder, verdict } = result;
  attempt(say, () =>
    writeWhole(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`),
  );
  if (verdict === 'clean')
    attempt(say, () => rmSync(join(folder, 'ledger.jsonl'), { force: true }));
  else if (logDir !== undefined)
    attempt(say, () => cpSync(logDir, join(folder, 'log'), { recursive: true }));
}

function attempt(say: (line: string) => void, write: () => void): void {
  try {
    write();
  } catch (error) {
    say(`not everything could be kept: ${describe(error)}`);
  }
}

async function openStack(
  { instance, plant, signal }: ChaosOptions,
  say: (line: string) => void,
): Promise<ChaosStack> {
  if (instance === undefined) return startOwnStack({ plant, say, signal });
  const disk = checkDisk('kraft');
  if (disk.status === 'missing') throw new Error(`${disk.name}: ${disk.detail}; ${disk.fix}.`);
  const stack = await attachStack(instance);
  // What was wrong before would be taken for what the run has done.
  const problem = await findHealthProblem(stack, true).catch(describe);
  if (problem === undefined) return stack;
  await stack.stop();
  const undo = `"npm run chaos -- --undo --instance ${instance}" ends what an earlier run left`;
  throw new Error(`The stack "${instance}" is not healthy: ${problem}; ${undo}.`);
}

async function disturb(
  stack: ChaosStack,
  options: ChaosOptions,
  say: (line: string) => void,
): Promise<ChaosResult> {
  const { seed, schedule, clients: clientCount, folder, signal } = options;
  const titlePrefix = `chaos ${seed} ${Date.now().toString(36)}`;
  const run: ChaosRun = {
    seed,
    startedAt: Date.now(),
    titlePrefix,
    alone: stack.isOwn,
    attempts: 4,
    quiescence: null,
  };
  const ledger = openLedger(join(folder, 'ledger.jsonl'), run);
  const restarts = restartsOf(stack);
  const watch = watchStack(stack, ledger, say);
  const clients = startClients({
    orderServiceUrl: stack.orderServiceUrl,
    clients: clientCount,
    seed,
    titlePrefix,
    ledger,
  });
  try {
    say(`${clientCount} clients, ${schedule.length} faults to come`);
    const { failures } = await runSchedule(schedule, { stack, ledger, say, signal });
    signal.throwIfAborted();
    const ended = ledger.history().faults.flatMap(({ endedAt }) => endedAt ?? []);
    const lastFaultEndedAt = Math.max(run.startedAt, ...ended);
    say('all faults have ended');
    await wait(undisturbedMs, undefined, { signal });
    await clients.stop(answersWithinMs);
    const lastBoardId = await clients.createLast(answersWithinMs);
    say('no more commands; waiting until everything is applied and quiet');
    const quiescence = await quiesceStack(stack, {
      lastFaultEndedAt,
      lastBoardId,
      titlePrefix,
      // What a broker did not answer it may have stored.
      expectsDeadLetters: !stack.isOwn || ledger.history().foreign.length > 0,
      watch,
      say,
      signal,
    });
    signal.throwIfAborted();
    await watch.stop();
    ledger.run({ ...run, quiescence });
    say(
      quiescence.quietAt === null
        ? 'never quiet'
        : `quiet ${quiescence.quietAt - lastFaultEndedAt} ms after the last fault`,
    );
    const evidence = await collectEvidence(checkedStack(stack));
    const history = ledger.history();
    const violations = checkRun(history, evidence);
    if (violations.length > 0)
      attempt(say, () => writeFileSync(join(folder, 'evidence.json'), JSON.stringify(evidence)));
    return {
      ...emptyResult(options),
      ...count(history, evidence, watch),
      ...decideVerdict(history, failures, violations),
      connectorFailed: watch.hasFailed(),
      endedByThemselves: findUnaskedEnds(restarts, restartsOf(stack), history),
      quietAfterMs: quiescence.quietAt === null ? null : quiescence.quietAt - lastFaultEndedAt,
      violations,
    };
  } finally {
    await clients.stop(0);
    await watch.stop();
  }
}

type Restarts = ReadonlyMap<string, number>;

const restartsOf = (stack: ChaosStack): Restarts =>
  new Map(stack.processes().map(({ name, restarts }) => [name, restarts]));

/** Which processes were started again more often than they were killed. */
export function findUnaskedEnds(
  before: Restarts,
  after: Restarts,
  { faults }: Pick<History, 'faults'>,
): string[] {
  return [...after].flatMap(([name, count]) => {
    const kills = faults.filter(
      (fault) => fault.name === 'kill' && fault.target === name && fault.tookAt !== null,
    );
    return count - (before.get(name) ?? 0) > kills.length ? [name] : [];
  });
}

/**
 * A run proves nothing when not everything of its schedule went wrong, or when hardly a command was
 * done beside it.
 */
export function decideVerdict(
  { faults, operations }: Pick<History, 'faults' | 'operations'>,
  failures: readonly string[],
  violations: readonly Violation[],
): Pick<ChaosResult, 'verdict' | 'problem'> {
  if (violations.length > 0) return { verdict: 'violation' };
  const [failure] = failures;
  if (failure !== undefined) return { verdict: 'not run', problem: failure };
  if (faults.length === 0)
    return { verdict: 'not run', problem: 'nothing went wrong: a longer run has faults' };
  const done = operations.filter(({ outcome }) => outcome.kind === 'ok').length;
  if (done < fewestDone) return { verdict: 'not run', problem: `only ${done} commands were done` };
  return { verdict: 'clean' };
}

function checkedStack({
  mysql: { host, port, rootPassword: password },
  brokers,
}: ChaosStack): CheckedStack {
  return {
    mysql: {
      host,
      port,
      user: 'root',
      password,
      orders: 'order_service',
      catalog: 'catalog_service',
    },
    brokers,
  };
}

function count(
  { operations, refusals }: History,
  { marks, source, deadLetters }: Evidence,
  watch: Watch,
): Pick<ChaosResult, 'operations' | 'events'> {
  const outcomes = { ok: 0, refused: 0, unknown: 0 };
  for (const { outcome } of operations) outcomes[outcome.kind] += 1;
  const ids = source
    .filter(({ foreignId }) => foreignId === null)
    .map(({ headers }) => headers['id']);
  return {
    operations: outcomes,
    events: {
      applied: marks.reduce((sum, { version }) => sum + version, 0),
      copies: ids.length - new Set(ids).size,
      parked: watch.mostParked(),
      refusedByHandler: refusals.length,
      deadLetters: deadLetters.length,
    },
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error
    ? `${error.message}: ${describe(error.cause)}`
    : error.message;
}

import { setTimeout as wait } from 'node:timers/promises';
import type { ChaosStack } from './chaos-stack.ts';
import { injectionOf } from './faults.ts';
import type { InjectedFault } from './history.ts';
import type { Ledger } from './ledger.ts';
import { exclude, type ScheduledFault } from './schedule.ts';

export interface ScheduleRun {
  /** What was not seen to take, or not seen to end. */
  readonly failures: readonly string[];
}

/**
 * Lets everything of the schedule go wrong in its time, and ends all of it, also when the signal
 * aborts. A fault that excludes one before it waits until that is over: what dies may take longer
 * to come back than the schedule could know.
 */
export async function runSchedule(
  schedule: readonly ScheduledFault[],
  parts: Parts,
): Promise<ScheduleRun> {
  const startedAt = Date.now();
  const runs = new Map<ScheduledFault, Promise<string | undefined>>();
  for (const fault of schedule) {
    const before = [...runs].filter(([other]) => exclude(other, fault)).map(([, run]) => run);
    runs.set(fault, runInTurn(fault, startedAt + fault.atMs, before, parts));
  }
  // All of them: one that failed must not leave another unended.
  const ended = await Promise.allSettled(runs.values());
  const failures = ended.map((one) =>
    one.status === 'fulfilled' ? one.value : describe(one.reason),
  );
  return { failures: failures.filter((failure) => failure !== undefined) };
}

interface Parts {
  readonly stack: ChaosStack;
  readonly ledger: Ledger;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

async function runInTurn(
  fault: ScheduledFault,
  at: number,
  before: readonly Promise<unknown>[],
  parts: Parts,
): Promise<string | undefined> {
  await wait(Math.max(0, at - Date.now()), undefined, { signal: parts.signal }).catch(
    () => undefined,
  );
  await Promise.allSettled(before);
  return parts.signal.aborted ? undefined : runFault(fault, parts);
}

/** Resolves with what is wrong with the fault itself, undefined when it took and ended. */
async function runFault(
  fault: ScheduledFault,
  { stack, ledger, say, signal }: Parts,
): Promise<string | undefined> {
  const { id, kind, target, forMs, how } = fault;
  const name = `${kind}${how === null ? '' : ` (${how})`}`;
  const title = `fault ${id}: ${name}, ${target}`;
  const unseen = { tookAt: null, endedAt: null, readyAt: null, details: '' };
  let noted: InjectedFault = { id, name, target, begunAt: Date.now(), ...unseen };
  const note = (change: Partial<InjectedFault>): void => {
    noted = { ...noted, ...change };
    ledger.fault(noted);
  };
  const problems: string[] = [];
  try {
    note({});
    const injection = injectionOf(fault, stack, ledger);
    try {
      const details = await injection.begin();
      note({ tookAt: Date.now(), details });
      say(`${title}: ${details}`);
      await wait(forMs, undefined, { signal }).catch(() => undefined);
    } catch (error) {
      problems.push(`has not taken: ${describe(error)}`);
    }
    // Also after an abort, and for as long as it takes: nothing is left disturbed.
    const ended = await injection.end();
    note({ endedAt: Date.now(), details: [noted.details, ended].filter(Boolean).join('; ') });
    if (ended !== '') say(`${title}: ${ended}`);
    if (injection.heal !== undefined && noted.tookAt !== null)
      await Promise.race([untilReady(injection.heal), aborted(signal)]);
  } catch (error) {
    problems.push(`has not ended: ${describe(error)}`);
  }
  if (problems.length === 0) return undefined;
  const problem = `${title} ${problems.join(', and ')}`;
  say(problem);
  note({ details: [noted.details, problem].filter(Boolean).join('; ') });
  return problem;

  /** A process that does not come back is a matter of the checker, not of the run. */
  async function untilReady(heal: () => Promise<string>): Promise<void> {
    try {
      const healed = await heal();
      note({ readyAt: Date.now() });
      say(`${title}: ${healed}`);
    } catch (error) {
      say(`${title}: ${describe(error)}`);
    }
  }
}

/** After an abort the run does not wait for what must come back by itself. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

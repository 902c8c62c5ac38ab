import type { Scheduler } from 'fast-check';
import type { InboxClock } from '../../src/clock.ts';
import { defaultSettings, type InboxSettings } from '../../src/settings.ts';
import { createMemoryDatabase } from '../support/memory-store/database.ts';
import { seededRandom, type Random } from '../support/random.ts';
import type { World } from './check.ts';
import { createMemoryBroker } from './memory-broker.ts';
import { drawScenario } from './scenario.ts';

export const settings: InboxSettings = {
  ...defaultSettings,
  batchRecords: 3,
  retryBaseMs: 6,
  maxWaitMs: 400,
  sweepEveryMs: 31,
};
const maxAttempts = 3;

/**
 * Thrown to what a process that has died still does: nothing of it may reach anything that outlives
 * it.
 */
class Crashed extends Error {
  override name = 'Crashed';
}

/** What may have died. */
export interface Mortal {
  isAlive: boolean;
}

export interface SimulationOptions {
  /** Chooses which of the waiting steps comes next. */
  readonly scheduler: Scheduler;
  /** Draws the scenario, the trouble and the moments of it. */
  readonly seed: number;
  readonly log?: (line: string) => void;
}

/**
 * What a simulated run is made of beside its processes: time, chance, trouble, and what outlives a
 * process.
 */
export interface Environment {
  readonly world: World;
  readonly random: Random;
  readonly clock: InboxClock;
  readonly log: (line: string) => void;
  /** From then on no server fails. */
  isHealed: boolean;
  /** From then on every event can be applied. */
  isRepaired: boolean;
  /** Grows with everything that changes the brokers. */
  changes: number;
  /** The first one; it ends the run. */
  violation: Error | undefined;
  /** Resolves when the scheduler lets this step happen. */
  take(label: string): Promise<void>;
  /** Where something else may come first, and where the process may have died meanwhile. */
  step(process: Readonly<Mortal>, label: string): Promise<void>;
  strikes(kind: 'databaseErrors' | 'publishErrors', probability: number): boolean;
  /** Whether more is on its way than the next sweep. */
  isBusy(): boolean;
  /**
   * Lets one waiting step happen, or the time pass until a timer is due; false when nothing is left
   * to happen.
   */
  advance(): Promise<boolean>;
}

/** Draws the scenario of the seed. */
export function createEnvironment({
  scheduler,
  seed,
  log = () => undefined,
}: SimulationOptions): Environment {
  const random = seededRandom(seed);
  const scenario = drawScenario(random);
  const { trouble } = scenario;
  const world = {
    scenario,
    database: createMemoryDatabase(),
    broker: createMemoryBroker(maxAttempts - 1),
    maxAttempts,
  };
  const timers: { readonly atMs: number; readonly isSweep: boolean; readonly work: () => void }[] =
    [];
  let nowMs = 1;
  log(`${scenario.afterDeadLetter} ${JSON.stringify(trouble)}`);

  const clock: InboxClock = {
    now: () => nowMs,
    elapsedMs: () => nowMs,
    after(ms, work) {
      const timer = { atMs: nowMs + Math.max(1, ms), isSweep: ms === settings.sweepEveryMs, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer) >>> 0, 1);
    },
  };

  const run: Environment = {
    world,
    random,
    clock,
    log,
    isHealed: false,
    isRepaired: false,
    changes: 0,
    violation: undefined,
    take: (label) => scheduler.schedule(Promise.resolve(), label),
    async step(process, label) {
      if (!process.isAlive) throw new Crashed();
      await run.take(label);
      if (!process.isAlive) throw new Crashed();
    },
    strikes: (kind, probability) => !run.isHealed && trouble[kind] && random.chance(probability),
    isBusy: () => scheduler.count() > 0 || timers.some(({ isSweep }) => !isSweep),
    async advance() {
      if (scheduler.count() > 0) {
        nowMs += 1;
        await scheduler.waitOne();
      } else {
        const next = Math.min(...timers.map(({ atMs }) => atMs));
        if (next === Infinity) return false;
        nowMs = Math.max(nowMs, next);
      }
      for (const timer of timers.filter(({ atMs }) => atMs <= nowMs)) {
        const at = timers.indexOf(timer);
        if (at !== -1) timers.splice(at, 1)[0]?.work();
      }
      // What follows a step runs until it waits for another one.
      await new Promise(setImmediate);
      if (run.violation !== undefined) throw run.violation;
      return true;
    },
  };
  return run;
}

import type { InboxSettings } from '../../settings.ts';
import { defaultSettings } from '../../settings.ts';
import { createModelDatabase, type ModelDatabase } from './model-database.ts';
import { createModelKafka, type ModelKafka } from './model-kafka.ts';
import type { Random } from './random.ts';

/** Mistakes that the model can be told to make; each must be caught. */
export type PlantedBug =
  | 'park-without-lock'
  | 'offset-before-transaction'
  | 'passed-rows-stay-parked'
  | 'publish-after-offset'
  | 'marks-in-memory'
  | 'judged-before-its-turn';

/** How the handler treats an event. */
export interface Behaviour {
  /** So many calls fail. */
  readonly failures: number;
  readonly invalid: 'never' | 'in-decoding' | 'in-handler';
}

/** Which kinds of trouble a schedule may meet; a schedule without one of them finds what that one would hide. */
export interface Trouble {
  readonly crashes: boolean;
  readonly rebalances: boolean;
  readonly copies: boolean;
  readonly databaseErrors: boolean;
  readonly publishErrors: boolean;
  readonly operator: boolean;
  readonly sweeps: boolean;
}

/** The state that everything in a schedule shares. */
export interface Model {
  readonly database: ModelDatabase;
  readonly kafka: ModelKafka;
  readonly random: Random;
  readonly settings: InboxSettings;
  readonly afterDeadLetter: 'block' | 'skip';
  readonly trouble: Trouble;
  readonly bug: PlantedBug | undefined;
  readonly behaviours: Map<string, Behaviour>;
  /** Handler calls so far, by event id. */
  readonly calls: Map<string, number>;
  readonly log: (line: string) => void;
  nowMs: number;
  /** Trouble is over: nothing crashes or fails by itself any more. */
  healed: boolean;
  /** An operator has mended the handler and the events. */
  mended: boolean;
}

export const group = 'group';
export const sourceTopic = 'source';
export const partitions = 2;

/** A generator runs from one yield to the next without anybody else; `idle` says that nothing was there to do. */
export type Steps<Result = void> = Generator<'step' | 'idle', Result, void>;

export function createModel(options: {
  random: Random;
  trouble: Trouble;
  afterDeadLetter: 'block' | 'skip';
  bug: PlantedBug | undefined;
  log: (line: string) => void;
}): Model {
  return {
    ...options,
    database: createModelDatabase(options.bug === 'passed-rows-stay-parked'),
    kafka: createModelKafka(),
    settings: { ...defaultSettings, batchRecords: 3, maxAttempts: 3, retryBaseMs: 6 },
    behaviours: new Map(),
    calls: new Map(),
    nowMs: 1,
    healed: false,
    mended: false,
  };
}

/** Whether this kind of trouble happens now. */
export function strikes(model: Model, kind: 'databaseErrors' | 'publishErrors', probability: number): boolean {
  return !model.healed && model.trouble[kind] && model.random.chance(probability);
}

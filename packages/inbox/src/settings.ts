/** What a program may tune. Our services run with the defaults. */
export interface InboxSettings {
  /** Records decided in one transaction. */
  readonly batchRecords: number;
  readonly retryBaseMs: number;
  readonly retryFactor: number;
  /** Share of a delay by which it varies up and down, 0..1. */
  readonly retryJitter: number;
  readonly handlerDeadlineMs: number;
  /** Longest wait in place while a server is away. */
  readonly maxWaitMs: number;
  /** No progress for this long although records wait: the process ends. */
  readonly maxStallMs: number;
  /**
   * An error that no table knows is read again for this long, in all, before a record may be blamed
   * for it.
   */
  readonly rereadForMs: number;
  /**
   * Events of one type fail because a table or column is missing, those of other types do not: one
   * of them is given up on after each wait.
   */
  readonly schemaPatienceMs: number;
  readonly sweepEveryMs: number;
  /** An event parked for longer raises an alarm: nothing that fills its gap is on its way. */
  readonly parkedAlarmAgeMs: number;
  /**
   * The circuit breaker opens when, within its window, so many dead letters of spent attempts came
   * and more than this share of the aggregates tried failed.
   */
  readonly breakerWindowMs: number;
  readonly breakerDeadLetters: number;
  readonly breakerFailedShare: number;
  readonly breakerProbeEveryMs: number;
  /**
   * New partitions of a topic are read this late at most; kafkajs's own default is five minutes.
   */
  readonly findPartitionsEveryMs: number;
  readonly maxParkedRows: number;
  readonly maxParkedBytes: number;
  /**
   * A schema id that the registry does not know is asked for again for this long before an event is
   * dead-lettered for it.
   */
  readonly unknownSchemaMs: number;
  /**
   * One unusable id on events of so many aggregates within its window, and no event of their type
   * decodes: the registry's fault.
   */
  readonly unknownSchemaAggregates: number;
  readonly unknownSchemaWindowMs: number;
  /** How often the registry is asked whether the ids in use still mean the same schemas. */
  readonly schemaCheckEveryMs: number;
}

/** The settings of a consumer that changes none. */
export const defaultSettings: InboxSettings = {
  batchRecords: 500,
  retryBaseMs: 1_000,
  retryFactor: 2,
  retryJitter: 0.2,
  handlerDeadlineMs: 10_000,
  maxWaitMs: 5_000,
  maxStallMs: 60_000,
  rereadForMs: 60_000,
  schemaPatienceMs: 600_000,
  sweepEveryMs: 3_000,
  parkedAlarmAgeMs: 30_000,
  breakerWindowMs: 60_000,
  breakerDeadLetters: 50,
  breakerFailedShare: 0.5,
  breakerProbeEveryMs: 30_000,
  findPartitionsEveryMs: 60_000,
  maxParkedRows: 1_000_000,
  maxParkedBytes: 2 ** 30,
  unknownSchemaMs: 5_000,
  unknownSchemaAggregates: 10,
  unknownSchemaWindowMs: 60_000,
  schemaCheckEveryMs: 30_000,
};

/** Node runs a timer that is longer than this at once. */
const longestTimerMs = 2 ** 31 - 1;

interface Range {
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

const count: Range = { least: 1, most: Number.MAX_SAFE_INTEGER, isWhole: true };
const share: Range = { least: 0, most: 1, isWhole: false };
/** Never a timer of its own. */
const patience: Range = { least: 0, most: Infinity, isWhole: false };

/** Where a setting is no time that may become a timer. */
const ranges: Partial<Record<keyof InboxSettings, Range>> = {
  batchRecords: count,
  retryFactor: { least: 1, most: 100, isWhole: false },
  retryJitter: share,
  rereadForMs: patience,
  schemaPatienceMs: patience,
  breakerDeadLetters: count,
  breakerFailedShare: share,
  maxParkedRows: count,
  maxParkedBytes: count,
  unknownSchemaAggregates: count,
};
const timer: Range = { least: Number.MIN_VALUE, most: longestTimerMs, isWhole: false };

/** The defaults with these changes; throws once, with every value that is out of its range. */
export function resolveSettings(changes: Partial<InboxSettings> = {}): InboxSettings {
  const settings = { ...defaultSettings, ...changes };
  const unknown = Object.keys(changes).filter((name) => !Object.hasOwn(defaultSettings, name));
  if (unknown.length > 0) throw new Error(`settings of the inbox: unknown ${unknown.join(', ')}`);
  const problems = (Object.keys(settings) as (keyof InboxSettings)[]).flatMap((name) => {
    const { least, most, isWhole } = ranges[name] ?? timer;
    const value = settings[name];
    // NaN is in no range.
    if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return [];
    const kind = isWhole ? 'an integer' : 'a number';
    const range =
      least === Number.MIN_VALUE ? `above 0, at most ${most}` : `from ${least} to ${most}`;
    return [`${name} is ${value}, must be ${kind} ${range}`];
  });
  if (problems.length > 0) throw new Error(`settings of the inbox: ${problems.join('; ')}`);
  return settings;
}

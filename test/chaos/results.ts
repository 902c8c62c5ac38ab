import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PlantName } from './plants.ts';
import type { Violation } from './checker/evidence.ts';

export interface ChaosResult {
  readonly seed: number;
  /** `not run`: it could not begin, or not everything of its schedule went wrong as it should. */
  readonly verdict: 'clean' | 'violation' | 'not run';
  /** Why it is `not run`. */
  readonly problem?: string;
  readonly faults: number;
  readonly operations: { readonly ok: number; readonly refused: number; readonly unknown: number };
  readonly events: {
    readonly applied: number;
    /** Records of `board` that repeat an event. */
    readonly copies: number;
    /** At once, at most. */
    readonly parked: number;
    readonly refusedByHandler: number;
    readonly deadLetters: number;
  };
  readonly connectorFailed: boolean;
  /**
   * Processes that ended more often than the run killed them: a watchdog, perhaps; their logs
   * say why.
   */
  readonly endedByThemselves: readonly string[];
  /** From the end of the last fault; null: never quiet. */
  readonly quietAfterMs: number | null;
  readonly violations: readonly Violation[];
  readonly folder: string;
}

/** What a result depends on, beside the commit. */
export interface RunSettings {
  readonly seed: number;
  readonly minutes: number;
  readonly clients: number;
  readonly instance: string | undefined;
  readonly plant: PlantName | undefined;
  /** Its faults come from a file, not from the seed. */
  readonly isReplay: boolean;
}

export function nameOf({ seed, minutes, clients, instance, plant, isReplay }: RunSettings): string {
  const drawn = isReplay ? [`replay_seed-${seed}`] : [`seed-${seed}`, `${minutes}m`];
  return [...drawn, `${clients}c`, instance, plant].filter(Boolean).join('_');
}

/** Of a tree with changes nothing is known: it may be another one each time. */
export function describeCommit(checkout: string): string {
  try {
    const args = ['describe', '--always', '--abbrev=12', '--dirty', '--exclude=*'];
    return execFileSync('git', args, { cwd: checkout, encoding: 'utf8' }).trim();
  } catch {
    return 'no-commit';
  }
}

/** The result of a seed that has run at this commit; undefined without one. */
export function findResult(
  folder: string,
  commit: string,
  settings: RunSettings,
): ChaosResult | undefined {
  if (!isRepeatable(commit, settings)) return undefined;
  try {
    return JSON.parse(readFileSync(fileOf(folder, commit, settings), 'utf8')) as ChaosResult;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the result of a seed for `findResult`, where it is one of this commit: the run copies the
 * checkout when it starts, so the commit before and the one after must be the same.
 */
export function storeResult(
  folder: string,
  [before, after]: readonly [string, string],
  settings: RunSettings,
  result: ChaosResult,
): void {
  if (before !== after || result.verdict === 'not run' || !isRepeatable(before, settings)) return;
  writeWhole(fileOf(folder, before, settings), `${JSON.stringify(result, null, 2)}\n`);
}

/** A running instance may be of any commit. */
function isRepeatable(commit: string, { instance, isReplay }: RunSettings): boolean {
  return (
    !commit.endsWith('-dirty') && commit !== 'no-commit' && instance === undefined && !isReplay
  );
}

const fileOf = (folder: string, commit: string, settings: RunSettings): string =>
  join(folder, commit, `${nameOf(settings)}.json`);

/** So that the file is never seen in parts. */
export function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

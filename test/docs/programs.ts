import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../src/compile-cache.ts';
import { checkout } from './read-documents.ts';
import type { RunResult } from './run-in-turn.ts';

/** A documented command line, as the program that it names gets it. */
export interface ProgramRun {
  /** The page and line that it is written at. */
  readonly where: string;
  readonly text: string;
  /** From the checkout. */
  readonly file: string;
  readonly args: readonly string[];
  /** Only names the command, as prose does: what it requires may be left out. */
  readonly isMention: boolean;
}

/** No instance can have this name, so every program refuses it before it does anything. */
const nowhere = 'No such stack';

/**
 * What is added to the arguments of a program, so that it ends once it has understood all others
 * and before it does anything. undefined: this test does not know the program.
 */
export function stopsAfterParsing(
  file: string,
  args: readonly string[],
): readonly string[] | undefined {
  // With --cluster it would look at no instance, and download.
  if (file === 'stack/cli.ts' && args.includes('fetch')) return [nowhere];
  if (
    /^(ops\/commands\/\w+|(stack|bench|test\/chaos)\/cli|test\/chaos\/checker\/main)\.ts$/.test(
      file,
    )
  )
    return ['--instance', nowhere];
  // Twice: an option without its value may take the first.
  if (file === 'infra/containers/containers.mjs') return [nowhere, nowhere];
  return file === 'provision/main.ts' ? [nowhere] : undefined;
}

/** Each of them means that the other arguments were understood. */
const understood = [
  `The stack "${nowhere}" does not run`,
  `"${nowhere}" cannot name an instance`,
  // What asks, before it looks for a server.
  '--yes: no terminal can be asked',
  // containers.mjs and provision/main.ts, which read their arguments one after the other.
  `secrets takes nothing, and got "${nowhere}"`,
  `doctor does not know "${nowhere}"`,
  `unknown step ${nowhere};`,
  "too many arguments for 'fetch'. Expected 0 arguments but got 1.",
];
const incomplete =
  /missing required argument|required option|Which dead letters\?|^Usage: |There is no command "No such stack"/m;

/** What is wrong with the arguments; undefined when the program understands them. */
export function problemOfRun({ args, isMention }: ProgramRun, result: RunResult | undefined) {
  if (result === undefined) return 'does not end';
  if (args.includes('--help') && result.exitCode === 0) return undefined;
  if (understood.some((text) => result.output.includes(text))) return undefined;
  if (isMention && incomplete.test(result.output)) return undefined;
  return `ends with ${result.exitCode}: ${result.output.trim().slice(0, 300)}`;
}

/**
 * Runs each program with each of its arguments, in one process per program, two at a time. The same
 * arguments run once. The environment names no server.
 */
export async function runPrograms(
  runs: readonly ProgramRun[],
): Promise<(run: ProgramRun) => RunResult | undefined> {
  const files = [...Map.groupBy(runs, ({ file }) => file)].map(([file, ofFile]) => ({
    file,
    lines: new Map(ofFile.map((run) => [keyOf(run), [...run.args, ...stopOf(run)]])),
  }));
  const results = new Map<string, RunResult>();
  const waiting = files.toSorted((one, other) => other.lines.size - one.lines.size);
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const keys = [...next.lines.keys()];
      for (const [index, result] of (await runFile(next.file, [...next.lines.values()])).entries())
        results.set(`${next.file} ${keys[index]}`, result);
    }
  }
  await Promise.all([work(), work()]);
  return (run) => results.get(`${run.file} ${keyOf(run)}`);
}

const keyOf = ({ args }: ProgramRun): string => JSON.stringify(args);

function stopOf({ file, args }: ProgramRun): readonly string[] {
  const stop = stopsAfterParsing(file, args);
  if (stop === undefined) throw new Error(`${file} must not run: it would do what it is told`);
  return stop;
}

/** In the order of the lines; shorter when the program did not end. */
async function runFile(file: string, lines: readonly string[][]): Promise<RunResult[]> {
  const { PATH, HOME } = process.env;
  const child = fork(fileURLToPath(import.meta.resolve('./run-in-turn.ts')), [file], {
    cwd: checkout,
    env: { PATH, HOME, ...compileCache },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const results: RunResult[] = [];
  child.on('message', (result) => results.push(result as RunResult));
  const exited = once(child, 'exit');
  child.send(lines);
  const limit = new AbortController();
  const late = delay(60_000, undefined, { signal: limit.signal }).catch(() => undefined);
  await Promise.race([exited, late]);
  limit.abort();
  child.kill('SIGKILL');
  await exited;
  return results;
}

import { execFile, spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program and its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A program that was started. */
export interface Child {
  readonly pid: number;
  /** Resolves with the signal or exit code that ended it. */
  readonly exited: Promise<string>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** This process may end before it. */
  readonly unref: () => void;
}

/** Resolves once the program runs; both of its outputs are appended to the log. */
export function startProgram(command: Command, logFile: string): Promise<Child> {
  const log = openSync(logFile, 'a', 0o600);
  return new Promise<Child>((done, reject) => {
    const child = spawn(command.file, command.args, {
      // The log is the file itself, not a pipe: a server outlives a killed launcher without a
      // broken pipe.
      stdio: ['ignore', log, log],
      env: { ...process.env, ...command.env },
      cwd: command.cwd,
      // A group of its own: Ctrl-C in the terminal reaches the launcher only, which stops things in
      // their order.
      detached: true,
    });
    const exited = new Promise<string>((ended) =>
      child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`)),
    );
    child.once('error', reject);
    const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
    child.once('spawn', () =>
      done({ pid: child.pid ?? 0, exited, kill, unref: () => child.unref() }),
    );
  }).finally(() => closeSync(log));
}

/** Where the output of a program goes, and what ends it. */
export interface RunOptions {
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with the pid once the program runs. */
  readonly onStart?: (pid: number) => void;
}

/** Runs a program to its end; when it fails, the error carries the last lines of its log. */
export async function runCommand(
  command: Command,
  { logFile, signal, onStart }: RunOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const child = await startProgram(command, logFile);
  onStart?.(child.pid);
  const abort = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
  };
  signal?.addEventListener('abort', abort, { once: true });
  // It came while the program was being started.
  if (signal?.aborted === true) abort();
  const how = await child.exited;
  signal?.removeEventListener('abort', abort);
  signal?.throwIfAborted();
  if (how !== 'exit code 0') {
    throw new Error(
      `${command.file} ended with ${how}; the end of ${logFile}:\n${lastLines(logFile, 15, 400)}`,
    );
  }
}

/** Renames the log of the previous run to `<name>.log.1`. */
export function rotateLog(logFile: string): void {
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
}

/** The end of a log, each line cut to `width`. */
export function lastLines(file: string, count: number, width = Infinity): string {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
    return lines.map((line) => line.slice(0, width)).join('\n');
  } catch {
    return `(${file} cannot be read)`;
  }
}

/** The first executable file of this name on PATH and in the folders given. */
export function findOnPath(name: string, more: readonly string[] = []): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...more];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Whether this user may execute the file. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** What the program prints on both outputs; empty when it cannot run. */
export function readOutput(command: readonly string[], args: readonly string[]): Promise<string> {
  const [file = '', ...first] = command;
  return new Promise((resolve) => {
    execFile(file, [...first, ...args], { timeout: 20_000 }, (_error, out, err) =>
      resolve(`${out}${err}`),
    );
  });
}

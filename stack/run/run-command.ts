import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A program and its arguments. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface RunOptions {
  /** Gets both outputs, appended. */
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
  /** Told the pid once the program runs. */
  readonly onStart?: (pid: number) => void;
}

/** Runs a program to its end; when it fails, the error carries the last lines of its log. */
export async function runCommand(command: Command, options: RunOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const outcome = await new Promise<string | undefined>((resolve, reject) => {
      const child = spawn(command.file, command.args, {
        stdio: ['ignore', log, log],
        env: { ...process.env, ...command.env },
        cwd: command.cwd,
        // A group of its own: Ctrl-C in the terminal reaches the launcher only, which stops things in their order.
        detached: true,
      });
      const abort = (): void => {
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
      };
      options.signal?.addEventListener('abort', abort, { once: true });
      child.once('spawn', () => options.onStart?.(child.pid ?? 0));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        options.signal?.removeEventListener('abort', abort);
        resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`));
      });
    });
    options.signal?.throwIfAborted();
    if (outcome !== undefined) {
      throw new Error(
        `${command.file} ended with ${outcome}; the end of ${options.logFile}:\n${lastLines(options.logFile, 15, 400)}`,
      );
    }
  } finally {
    closeSync(log);
  }
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

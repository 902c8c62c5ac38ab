import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { compileCache } from './compile-cache.ts';

interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export interface SpawnedService {
  /** What it has logged so far. */
  readonly lines: readonly LogLine[];
  /**
   * Resolves with the first line of this event, past or to come; rejects when the process ends
   * without it.
   */
  until(event: string): Promise<LogLine>;
  /** Resolves with its address once it listens. */
  url(): Promise<string>;
  readonly pid: number;
  /** Exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  stop(): void;
  kill(): void;
}

/** Starts a service (`main`: its file) as a process of its own, on a free port. */
export function spawnService(
  main: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): SpawnedService {
  const child = spawn(process.execPath, [main, ...args], {
    env: { HTTP_PORT: '0', ...compileCache, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(
    ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
  );
  const lines: LogLine[] = [];
  let news = Promise.withResolvers<void>();
  const notify = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  let over = false;
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => {
    lines.push(JSON.parse(line));
    notify();
  });
  output.on('close', () => {
    over = true;
    notify();
  });

  async function until(event: string): Promise<LogLine> {
    for (;;) {
      const found = lines.find((line) => line.event === event);
      if (found) return found;
      if (over) throw new Error(`ended before ${event}: ${JSON.stringify(lines)}`);
      await news.promise;
    }
  }

  return {
    lines,
    until,
    url: async () => `http://127.0.0.1:${String((await until('http.listening'))['port'])}`,
    pid: child.pid ?? 0,
    ended,
    stop: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export interface RunningService {
  readonly url: string;
  readonly pid: number;
  readonly lines: readonly LogLine[];
  /** Resolves with the first line of this event, past or to come; rejects when the process ends without it. */
  until(event: string): Promise<LogLine>;
  /** Exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  stop(): void;
}

/** Starts the real process (`file` names another service's) on a free port and waits until it listens; it is killed when the test ends. */
export async function startService(env: Readonly<Record<string, string>>, file = main): Promise<RunningService> {
  const child = spawn(process.execPath, [file], {
    env: { HTTP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: LogLine[] = [];
  let news = Promise.withResolvers<void>();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  let over = false;
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => {
    lines.push(JSON.parse(line));
    tell();
  });
  output.on('close', () => {
    over = true;
    tell();
  });

  async function until(event: string): Promise<LogLine> {
    for (;;) {
      const found = lines.find((line) => line.event === event);
      if (found) return found;
      if (over) throw new Error(`ended before ${event}: ${JSON.stringify(lines)}`);
      await news.promise;
    }
  }

  const { port, pid } = await until('http.listening');
  return {
    url: `http://127.0.0.1:${String(port)}`,
    pid: Number(pid),
    lines,
    until,
    ended,
    stop: () => void child.kill('SIGTERM'),
  };
}

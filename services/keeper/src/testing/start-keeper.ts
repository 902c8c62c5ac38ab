import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@board/test';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

interface LogLine {
  readonly event?: string;
  readonly [field: string]: unknown;
}

export interface RunningKeeper {
  readonly url: string;
  readonly lines: readonly LogLine[];
  /** The first line of this event, past or to come. */
  until(event: string): Promise<LogLine>;
  /** Exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  stop(): void;
  kill(): void;
}

/** Starts the real process on a free port and waits until it listens; it is killed when the test ends. */
export async function startKeeper(env: Readonly<Record<string, string>>): Promise<RunningKeeper> {
  const child = spawn(process.execPath, [main], {
    env: { HTTP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: LogLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const until = (event: string): Promise<LogLine> =>
    waitUntil(`${event} of the keeper`, () => lines.find((line) => line.event === event));
  const { port } = await until('http.listening');
  return {
    url: `http://127.0.0.1:${String(port)}`,
    lines,
    until,
    ended,
    stop: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { InboxSettings } from '../../src/settings.ts';
import type { InboxLab } from './inbox-lab.ts';

export interface ConsumerProcessOptions {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly connection: InboxLab['schema']['connection'];
  readonly topic: string;
  readonly group: string;
  /** The event whose first attempt fails. */
  readonly failFirst: { readonly aggregateId: string; readonly version: number };
  /** The failpoint where SIGKILL ends it. */
  readonly killAt?: string;
  /** Whose events take so long. */
  readonly slow?: { readonly aggregateId: string; readonly forMs: number };
  /** Its event loop may stand still for so long. */
  readonly maxBlockedMs?: number;
  readonly settings: Partial<InboxSettings>;
}

export interface ConsumerProcess {
  /** The signal that ended it, or its exit code. */
  readonly ended: Promise<string | number | null>;
  /** SIGUSR2 sets its clock back by an hour. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void;
  isRunning(): boolean;
  kill(): Promise<void>;
}

const main = fileURLToPath(new URL('consumer-main.ts', import.meta.url));

/** Starts a consumer of the lab's topic as a process of its own, with failpoints that kill it. */
export function spawnConsumer(
  lab: InboxLab,
  {
    failFirst,
    killAt,
    slow,
    maxBlockedMs,
    settings = {},
  }: {
    failFirst: ConsumerProcessOptions['failFirst'];
    killAt?: string;
    slow?: ConsumerProcessOptions['slow'];
    maxBlockedMs?: number;
    settings?: Partial<InboxSettings>;
  },
): ConsumerProcess {
  const options: ConsumerProcessOptions = {
    brokers: lab.stack.brokers,
    registryUrl: lab.stack.registryUrl,
    connection: lab.schema.connection,
    topic: lab.topic,
    group: lab.group,
    failFirst,
    ...(killAt === undefined ? {} : { killAt }),
    ...(slow === undefined ? {} : { slow }),
    ...(maxBlockedMs === undefined ? {} : { maxBlockedMs }),
    settings: { retryBaseMs: 100, sweepEveryMs: 200, ...settings },
  };
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, CONSUMER: JSON.stringify(options) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit').then(
    ([code, signal]: (string | number | null)[]) => signal ?? code ?? null,
  );
  return {
    ended,
    signal: (name) => child.kill(name),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

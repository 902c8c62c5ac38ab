import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { InboxSettings } from '../settings.ts';
import type { InboxLab } from './inbox-lab.ts';

export interface ConsumerProcessOptions {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly connection: InboxLab['schema']['connection'];
  readonly topic: string;
  readonly group: string;
  /** The event whose first attempt fails. */
  readonly failFirst: { readonly aggregateId: string; readonly version: number };
  readonly settings: Partial<InboxSettings>;
}

export interface ConsumerProcess {
  /** The signal that ended it, or its exit code. */
  readonly ended: Promise<string | number | null>;
  kill(): Promise<void>;
}

const main = fileURLToPath(new URL('consumer-main.ts', import.meta.url));

/** Starts a consumer of the lab's topic as a process of its own, with failpoints that kill it. */
export function spawnConsumer(
  lab: InboxLab,
  {
    failFirst,
    killAt,
    settings = {},
  }: {
    failFirst: ConsumerProcessOptions['failFirst'];
    killAt?: string;
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
    settings: { retryBaseMs: 100, sweepEveryMs: 200, ...settings },
  };
  const child = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      CONSUMER: JSON.stringify(options),
      FAILPOINTS: killAt === undefined ? '' : `${killAt}:kill`,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]: (string | number | null)[]) => signal ?? code ?? null);
  return {
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

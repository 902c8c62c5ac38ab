import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isRunning } from '@board/service';
import { z } from 'zod';

const stacks = resolve(import.meta.dirname, '../../.stack');

const stateFile = z.object({
  supervisor: z.object({ pid: z.number(), startTime: z.string(), bootId: z.string() }),
  processes: z.array(z.object({ name: z.string(), address: z.string(), logFile: z.string() })),
});
const secretsFile = z.record(z.string(), z.string());

/** What the launcher of this checkout tells about a stack that it keeps running. */
export interface LocalStack {
  /** Undefined while the server has not been started yet. */
  readonly addressOf: (server: string) => string | undefined;
  readonly passwordOf: (user: string) => string | undefined;
  /** Of every process: this start's. */
  readonly logFiles: readonly { readonly name: string; readonly logFile: string }[];
}

/** Undefined when no launcher keeps it running. */
export function readLocalStack(instance: string): LocalStack | undefined {
  const [state, secrets] = [
    `${stacks}/${instance}/run/state.json`,
    `${stacks}/${instance}/secrets.json`,
  ];
  if (!existsSync(state) || !existsSync(secrets)) return undefined;
  const { supervisor, processes } = stateFile.parse(JSON.parse(readFileSync(state, 'utf8')));
  if (!isRunning(supervisor)) return undefined;
  const passwords = secretsFile.parse(JSON.parse(readFileSync(secrets, 'utf8')));
  return {
    addressOf: (server) => processes.find(({ name }) => name === server)?.address,
    passwordOf: (user) => passwords[user],
    logFiles: processes,
  };
}

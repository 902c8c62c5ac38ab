import { Worker } from 'node:worker_threads';
import type { z } from 'zod';
import { ConfigError, formerNames, readConfig } from './config.ts';
import { createLogger, type Logger } from './telemetry.ts';

type ProcessConfig = {
  readonly INSTANCE: string;
  readonly LOG_LEVEL: string;
  readonly SHUTDOWN_DELAY_MS?: number;
};
type ProcessSchema = z.ZodObject & z.ZodType<ProcessConfig>;

/** What `runService` and `runTask` hand to the code of the process. */
export interface Running<Config> {
  readonly config: Readonly<Config>;
  readonly logger: Logger;
  readonly scope: Scope;
  /**
   * Ends the process with exit code 1 after an orderly close: for a fault that only a new process
   * can repair.
   */
  readonly fail: (error: Error) => void;
}

type Start<Schema extends ProcessSchema> = (running: Running<z.output<Schema>>) => Promise<void>;

/** An orderly close that takes longer than this, the shutdown delay not counted, is given up. */
const closeDeadlineMs = 10_000;

/**
 * Runs `start`, then serves until SIGTERM or SIGINT closes what it opened; a second signal ends the
 * process at once.
 */
export async function runService<Schema extends ProcessSchema>(
  schema: Schema,
  start: Start<Schema>,
): Promise<void> {
  await runProcess(schema, start, new Promise(() => undefined));
}

/** Runs `task` once, closes what it opened and exits: 0, or 1 when it failed. */
export async function runTask<Schema extends ProcessSchema>(
  schema: Schema,
  task: Start<Schema>,
): Promise<void> {
  await runProcess(schema, task, Promise.resolve());
}

async function runProcess<Schema extends ProcessSchema>(
  schema: Schema,
  start: Start<Schema>,
  untilDone: Promise<void>,
): Promise<void> {
  const config = readConfigOrExit(schema);
  const logger = createLogger({ name: config.INSTANCE, level: config.LOG_LEVEL });
  const scope = createScope();
  const stop = Promise.withResolvers<void>();
  const fail = (error: Error): void => stop.reject(error);
  endOnUnknownErrors(logger);
  closeOnSignals(logger, stop.resolve);

  let exitCode = 0;
  try {
    const done = start({ config, logger, scope, fail }).then(() => untilDone);
    await Promise.race([done, stop.promise]);
  } catch (error) {
    exitCode = 1;
    logger.fatal({ event: 'process.failed', err: error });
  }
  process.exit(
    (await closeInTime(scope, logger, closeDeadlineMs + (config.SHUTDOWN_DELAY_MS ?? 0)))
      ? exitCode
      : 1,
  );
}

function readConfigOrExit<Schema extends ProcessSchema>(
  schema: Schema,
): Readonly<z.output<Schema>> {
  for (const [name, former] of Object.entries(formerNames)) {
    if (!(name in schema.shape) || !(process.env[former] || process.env[`${former}_FILE`]))
      continue;
    process.stderr.write(
      process.env[name] || process.env[`${name}_FILE`]
        ? `${former} is ignored, since ${name} is set.\n`
        : `${former} is called ${name} now; the old name goes with the next release.\n`,
    );
  }
  try {
    return readConfig(schema, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

function closeOnSignals(logger: Logger, stop: () => void): void {
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(130);
    logger.info({ event: 'process.closing', signal });
    stop();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** After an unexpected error, no state can be trusted: no orderly close. */
function endOnUnknownErrors(logger: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ event: 'process.crashed', origin, err: error });
    process.exit(1);
  });
}

async function closeInTime(scope: Scope, logger: Logger, deadlineMs: number): Promise<boolean> {
  const timer = setTimeout(() => {
    logger.error({ event: 'process.close-timeout', deadlineMs });
    process.exit(1);
  }, deadlineMs);
  try {
    await scope.close();
    logger.info({ event: 'process.closed' });
    return true;
  } catch (error) {
    logger.error({ event: 'process.close-failed', err: error });
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Owns what a process or a test has opened, and its closers. */
export interface Scope {
  /** Aborted when closing begins: waits and retries end on it. */
  readonly signal: AbortSignal;
  /** Names the closer of a resource; call it on the line after the resource was opened. */
  defer(name: string, close: () => unknown): void;
  /** Runs every closer, last first, then throws the first error; safe to call twice. */
  close(): Promise<void>;
}

/** Owns what a process or a test has opened. */
export function createScope(): Scope {
  const closers: { name: string; close: () => unknown }[] = [];
  const closing = new AbortController();
  let closed: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    closing.abort();
    const errors: Error[] = [];
    for (let closer = closers.pop(); closer; closer = closers.pop()) {
      try {
        await closer.close();
      } catch (cause) {
        errors.push(new Error(`${closer.name} did not close`, { cause }));
      }
    }
    if (errors[0]) throw errors[0];
  }

  return {
    signal: closing.signal,
    defer: (name, close) => closers.push({ name, close }),
    close: () => (closed ??= closeAll()),
  };
}

/** How long the event loop may be blocked before the process is ended. */
const maxBlockedMs = 60_000;

/**
 * Ends the process with SIGKILL when its event loop is blocked: such a process answers nothing, yet
 * runs on. Time in which the whole process was stopped or suspended does not count.
 */
export function guardEventLoop(scope: Scope, limitMs = maxBlockedMs): void {
  const ticks = new Int32Array(new SharedArrayBuffer(4));
  const beat = setInterval(() => Atomics.add(ticks, 0, 1), Math.min(1_000, limitMs / 4));
  scope.defer('event loop beat', () => clearInterval(beat));
  const worker = new Worker(new URL('./event-loop-watcher.mjs', import.meta.url), {
    workerData: { ticks, limitMs },
    execArgv: [],
  });
  worker.unref();
  scope.defer('event loop guard', () => worker.terminate());
}

import { Worker } from 'node:worker_threads';
import type { Scope } from './scope.ts';

/** How long the event loop may stand still before nobody can expect it to come back. */
const maxBlockedMs = 60_000;

/**
 * Ends the process with SIGKILL when its event loop is blocked: such a process answers nobody, yet looks alive.
 * Time in which the whole process stood still (stopped, suspended) does not count.
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

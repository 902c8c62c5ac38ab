import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf, type Alarms, type Logger } from '@board/service';
import type { KeeperMetrics } from './keeper-metrics.ts';

/** Repeated work; must be harmless when two processes do it at the same moment. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  /** Ends early when the signal aborts; a failure is thrown, and the job is run again soon. */
  run(signal: AbortSignal): Promise<void>;
}

export interface JobRunner {
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'jobDone' | 'jobFailed'>;
  /** Time that this process has really had, for differences only. */
  readonly now: () => number;
}

/** The wait after a failure, unless the job's own pace is faster. */
const retryMs = 15_000;
/** A job that fails for longer raises an alarm. */
const graceMs = 30_000;

/** Runs every job at its own pace until the signal aborts, then waits for those under way. */
export async function runJobs(
  jobs: readonly Job[],
  signal: AbortSignal,
  runner: JobRunner,
): Promise<void> {
  await Promise.all(jobs.map((job) => repeat(job, signal, runner)));
}

async function repeat(
  job: Job,
  signal: AbortSignal,
  { alarms, logger, metrics, now }: JobRunner,
): Promise<void> {
  const alarm = `job ${job.name}`;
  let failingSinceMs: number | undefined;
  while (!signal.aborted) {
    try {
      await job.run(signal);
      failingSinceMs = undefined;
      alarms.clear(alarm);
      metrics.jobDone(job.name);
    } catch (error) {
      if (signal.aborted) break;
      failingSinceMs ??= now();
      metrics.jobFailed(job.name);
      logger.warn({ event: 'keeper.job-failed', job: job.name, err: error });
      if (now() - failingSinceMs >= graceMs)
        alarms.raise(alarm, `${job.name} fails: ${reasonOf(error)}`);
    }
    const waitMs = failingSinceMs === undefined ? job.everyMs : Math.min(job.everyMs, retryMs);
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
  alarms.clear(alarm);
}

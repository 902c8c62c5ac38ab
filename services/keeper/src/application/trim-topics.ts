import type { Logger } from '@board/service';
import type { Job } from './job.ts';
import type { KeeperMetrics } from './keeper-metrics.ts';

export interface Trimming {
  /** Deletes what the groups have settled from their retry topics, and says how many records. */
  readonly trim: () => Promise<number>;
  readonly everyMs: number;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'trimmed'>;
}

/** Retry topics never expire; what was settled in them is taken away here. */
export function trimTopics({ trim, everyMs, logger, metrics }: Trimming): Job {
  return {
    name: 'trim',
    everyMs,
    async run() {
      const records = await trim();
      metrics.trimmed(records);
      if (records > 0) logger.info({ event: 'retries.trimmed', records });
    },
  };
}

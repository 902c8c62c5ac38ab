import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the group commit reports; each is called often and must be cheap. */
export interface CommitMetrics {
  /** Commands that wait now, those behind held rows included, and the sum of their `bytes`. */
  readonly observeQueue: (rows: number, bytes: number) => void;
  /**
   * Called when a shared batch begins; returns what to call when its members are answered or wait
   * for held rows.
   */
  readonly observeBatch: (rows: number) => () => void;
  /** A command found the queue full. */
  readonly countRefused: () => void;
}

/** For tests, and for owners that do not measure. */
export const ignoreMetrics: CommitMetrics = {
  observeQueue: () => undefined,
  observeBatch: () => () => undefined,
  countRefused: () => undefined,
};

/** The metrics of each kind of aggregate's group commit, on the registry that `/metrics` shows. */
export function createCommitMetrics(registry: Registry): (aggregate: string) => CommitMetrics {
  const registers = [registry];
  const labelNames = ['aggregate'] as const;
  const rows = new Gauge({
    name: 'outbox_queue_commands',
    help: 'Commands that wait for a transaction.',
    labelNames,
    registers,
  });
  const bytes = new Gauge({
    name: 'outbox_queue_bytes',
    help: 'Their size, roughly.',
    labelNames,
    registers,
  });
  const running = new Gauge({
    name: 'outbox_transactions_running',
    help: 'Batches that are being processed.',
    labelNames,
    registers,
  });
  const refused = new Counter({
    name: 'outbox_commands_refused_total',
    help: 'Commands that found the queue full and were not done.',
    labelNames,
    registers,
  });
  const size = new Histogram({
    name: 'outbox_batch_commands',
    help: 'Commands that shared a batch.',
    labelNames,
    buckets: [1, 2, 5, 10, 20, 50, 100, 200],
    registers,
  });
  const duration = new Histogram({
    name: 'outbox_batch_duration_seconds',
    help: 'From the begin of a batch until every member of it is answered.',
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  return (aggregate) => {
    const of = {
      rows: rows.labels(aggregate),
      bytes: bytes.labels(aggregate),
      running: running.labels(aggregate),
      refused: refused.labels(aggregate),
      size: size.labels(aggregate),
    };
    // There from the start: a series that begins with its first event hides that one.
    for (const gauge of [of.rows, of.bytes, of.running]) gauge.set(0);
    of.refused.inc(0);
    return {
      observeQueue(waitingRows, waitingBytes) {
        of.rows.set(waitingRows);
        of.bytes.set(waitingBytes);
      },
      observeBatch(commands) {
        of.size.observe(commands);
        of.running.inc();
        const end = duration.startTimer({ aggregate });
        return () => {
          of.running.dec();
          end();
        };
      },
      countRefused: () => of.refused.inc(),
    };
  };
}

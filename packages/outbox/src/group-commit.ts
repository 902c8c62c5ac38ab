import type { Database } from '@board/mysql';
import { UnavailableError } from '@board/service';
import { createPending, type AggregateRows, type Command, type Outcome } from './command.ts';
import { commitBatch } from './commit-batch.ts';
import { fillCommitLimits, type CommitLimits } from './commit-limits.ts';
import { ignoreMetrics, type CommitMetrics } from './commit-metrics.ts';
import { createCommitQueue, type Batch } from './commit-queue.ts';

/** Commits the commands of one kind of aggregate. */
export interface GroupCommit<State, Refusal> {
  /**
   * Resolves after COMMIT; throws UnavailableError when the command was not done, or when it cannot
   * be told whether it was.
   */
  commit(command: Command<State, Refusal>): Promise<Outcome<State, Refusal>>;
  /** Resolves when nothing is waiting or running. */
  idle(): Promise<void>;
}

/** Where a group commit writes, and its limits. */
export interface GroupCommitOptions<State> {
  /** Where the tables of `outbox-table.ts` and the rows of the aggregates are. */
  readonly database: Database;
  readonly rows: AggregateRows<State>;
  /** What is not given is as in `defaultCommitLimits`. */
  readonly limits?: Partial<CommitLimits>;
  /** Not given: nothing is observed. */
  readonly metrics?: CommitMetrics;
}

/**
 * Commits commands together: those that arrive while transactions run share the next one. A lone
 * command waits for no other. Commands of one aggregate keep their order. The queue decides what
 * may begin; this is the loop that begins it.
 */
export function createGroupCommit<State, Refusal>({
  database,
  rows,
  limits: given,
  metrics = ignoreMetrics,
}: GroupCommitOptions<State>): GroupCommit<State, Refusal> {
  const limits = fillCommitLimits(given);
  const queue = createCommitQueue(limits);
  // Below this function the types of states and refusals are unknown; what a command brings in goes
  // only to its own decision and rows.
  const store = { database, rows: rows as AggregateRows };
  let startIsDue: NodeJS.Immediate | undefined;
  let nextCheck: NodeJS.Timeout | undefined;
  let idle = Promise.withResolvers<void>();
  idle.resolve();

  function startBatches(): void {
    clearTimeout(nextCheck);
    let step = queue.next(performance.now());
    for (; step.kind !== 'pause'; step = queue.next(performance.now())) void run(step);
    if (Number.isFinite(step.pauseMs)) nextCheck = setTimeout(startBatches, step.pauseMs);
    const { rows: waitingRows, bytes } = queue.load();
    metrics.observeQueue(waitingRows, bytes);
    if (queue.isIdle()) idle.resolve();
  }

  async function run(batch: Batch): Promise<void> {
    const observeEnd =
      batch.kind === 'shared' ? metrics.observeBatch(batch.members.length) : undefined;
    const held = await commitBatch(store, batch);
    observeEnd?.();
    queue.end(batch, held);
    startBatches();
  }

  return {
    async commit(command) {
      const opaque = command as Command;
      const refusal = queue.findRefusal(opaque);
      if (refusal?.kind === 'full') {
        metrics.countRefused();
        throw new UnavailableError(
          `${refusal.waitingRows} commands are waiting already; this one was not done.`,
        );
      }
      if (refusal) return { kind: refusal.kind };
      if (queue.isIdle()) idle = Promise.withResolvers();
      const { pending, outcome } = createPending(opaque, limits.deadlineMs);
      queue.add(pending);
      // At the end of this turn of the event loop: what arrives in the same turn goes together.
      startIsDue ??= setImmediate(() => {
        startIsDue = undefined;
        startBatches();
      });
      return (await outcome) as Outcome<State, Refusal>;
    },
    idle: () => idle.promise,
  };
}

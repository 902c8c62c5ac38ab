/** How much is in one transaction, in flight and waiting. */
export interface CommitLimits {
  readonly batchRows: number;
  /** One member may be larger than this. */
  readonly batchBytes: number;
  /** While these run, what arrives waits and shares the next one. */
  readonly transactions: number;
  /** How long a few commands wait for more beside a running transaction. */
  readonly patienceMs: number;
  /** Beside them: waits for a row that another process holds. */
  readonly heldWaits: number;
  /** More than this is refused at once: a queue without an end only hides that the database is too slow. */
  readonly queueRows: number;
  readonly queueBytes: number;
  /** From acceptance to the answer, at most. */
  readonly deadlineMs: number;
}

export const defaultCommitLimits: CommitLimits = {
  batchRows: 200,
  // What a transaction sends may be many times this (escapes, hex): order-service asserts that MySQL takes it.
  batchBytes: 1024 * 1024,
  transactions: 2,
  // Longer than most transactions take, far below what a person notices.
  patienceMs: 25,
  heldWaits: 2,
  queueRows: 5_000,
  queueBytes: 64 * 1024 * 1024,
  deadlineMs: 1_800,
};

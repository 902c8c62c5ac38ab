/** How much is in one transaction, in flight and waiting. All are whole numbers. */
export interface CommitLimits {
  /** Commands in one transaction, at most. */
  readonly batchRows: number;
  /** Sum of their `bytes`, at most; a single command may be larger than this. */
  readonly batchBytes: number;
  /**
   * Shared transactions at once, at most: while these run, what arrives waits and shares the next
   * one.
   */
  readonly transactions: number;
  /** How long a few commands wait for more beside a running transaction. 0: not at all. */
  readonly patienceMs: number;
  /**
   * Transactions beside the shared ones that wait for a row which another process holds, one row
   * each.
   */
  readonly heldWaits: number;
  /**
   * Commands that wait, at most. More are refused at once: a longer queue only hides that the
   * database is too slow.
   */
  readonly queueRows: number;
  /** Sum of their `bytes`, at most. */
  readonly queueBytes: number;
  /** From acceptance to the answer, at most. */
  readonly deadlineMs: number;
}

/** The limits of the services; each may be replaced. */
export const defaultCommitLimits: CommitLimits = {
  batchRows: 200,
  // What a transaction sends may be many times this (escapes, hex): order-service asserts that
  // MySQL takes it.
  batchBytes: 1024 * 1024,
  transactions: 2,
  // Longer than most transactions take, far below what a person notices.
  patienceMs: 25,
  heldWaits: 2,
  queueRows: 5_000,
  queueBytes: 64 * 1024 * 1024,
  deadlineMs: 1_800,
};

/** With less than this nothing would ever be committed, or everything at once. */
const least: Readonly<Record<keyof CommitLimits, number>> = {
  batchRows: 1,
  batchBytes: 1,
  transactions: 1,
  patienceMs: 0,
  heldWaits: 1,
  queueRows: 1,
  queueBytes: 1,
  deadlineMs: 1,
};

/** Node runs a timer that is longer than this at once. */
const most = 2 ** 31 - 1;

/**
 * The given limits, the others as they are by default; throws an error that names every one that
 * makes no sense.
 */
export function fillCommitLimits(given: Partial<CommitLimits> = {}): CommitLimits {
  const limits = { ...defaultCommitLimits, ...given };
  const names = Object.keys(least) as (keyof CommitLimits)[];
  // NaN is neither too small nor too large: only the question whether it is an integer finds it.
  const wrong = names.filter(
    (name) =>
      !Number.isSafeInteger(limits[name]) || limits[name] < least[name] || limits[name] > most,
  );
  if (wrong.length === 0) return limits;
  const lines = wrong.map(
    (name) => `${name} is ${limits[name]}, must be an integer from ${least[name]} to ${most}`,
  );
  throw new Error(`Limits of the group commit: ${lines.join('; ')}.`);
}

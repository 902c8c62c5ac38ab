/** From the end of the last fault until everything is applied and no alarm is raised. */
const quietWithinMs = 90_000;
/**
 * The same where the connector said RUNNING and stood still: the keeper looks for two minutes
 * before it restarts it.
 */
const quietAfterStallWithinMs = 240_000;
/** Of a stall that was over before that, nothing is left. */
const forgottenMs = 60_000;

/**
 * How long the stack may take to be quiet; `stalledAt`: when the keeper last called the relay
 * stalled, null: never.
 */
export function allowedMs(stalledAt: number | null, lastFaultEndedAt: number): number {
  return stalledAt !== null && stalledAt > lastFaultEndedAt - forgottenMs
    ? quietAfterStallWithinMs
    : quietWithinMs;
}

/** What was seen of the connector, and when. */
export interface ConnectorLook {
  readonly at: number;
  readonly isFailed: boolean;
}

/**
 * The longest time for which it was FAILED without a break after `since`; looks are in the order of
 * time.
 */
export function longestFailureMs(looks: readonly ConnectorLook[], since: number): number {
  let longest = 0;
  let from: number | null = null;
  for (const { at, isFailed } of looks) {
    if (from !== null) longest = Math.max(longest, at - Math.max(from, since));
    from = isFailed ? (from ?? at) : null;
  }
  return longest;
}

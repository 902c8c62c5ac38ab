import { backoffMs } from '@board/service/backoff';

/** When a process that died is started again, and from when on it counts as given up on. */
export interface RestartPolicy {
  /** A process that was ready for this long has succeeded: its earlier deaths are forgotten. */
  readonly stableMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** So many deaths in a row are no accident. */
  readonly givenUpFrom: number;
}

/** The longest wait is shorter than a person's: ten kills in a row cost two minutes, and a cause that is gone is noticed soon. */
export const restartPolicy: RestartPolicy = {
  stableMs: 60_000,
  firstDelayMs: 250,
  maxDelayMs: 30_000,
  givenUpFrom: 5,
};

export interface RestartDecision {
  readonly delayMs: number;
  /** It is still tried, but it is shown as a failure, no longer as a restart under way. */
  readonly isGivenUp: boolean;
}

/** `deaths` are those in a row, the latest included. */
export function decideRestart(deaths: number, policy: RestartPolicy = restartPolicy): RestartDecision {
  return {
    delayMs: backoffMs({ firstMs: policy.firstDelayMs, maxMs: policy.maxDelayMs }, deaths),
    isGivenUp: deaths >= policy.givenUpFrom,
  };
}

/** How often a process may die before the stack gives up. */
export interface RestartPolicy {
  readonly maxDeaths: number;
  readonly windowMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const restartPolicy: RestartPolicy = {
  maxDeaths: 5,
  windowMs: 60_000,
  firstDelayMs: 250,
  maxDelayMs: 8000,
};

export type RestartDecision =
  { readonly kind: 'restart'; readonly delayMs: number } | { readonly kind: 'give-up'; readonly deaths: number };

/** `deaths` are times in milliseconds, the latest one last; those outside the window are forgiven. */
export function decideRestart(deaths: readonly number[], policy: RestartPolicy = restartPolicy): RestartDecision {
  const latest = deaths.at(-1) ?? 0;
  const recent = deaths.filter((at) => latest - at < policy.windowMs).length;
  if (recent >= policy.maxDeaths) return { kind: 'give-up', deaths: recent };
  const delayMs = Math.min(policy.firstDelayMs * 2 ** (recent - 1), policy.maxDelayMs);
  return { kind: 'restart', delayMs };
}

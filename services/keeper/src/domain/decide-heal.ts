import { backoffMs } from '@board/service/backoff';

/** The connector as Connect describes it. */
export type ConnectorHealth =
  | { readonly kind: 'running' }
  | { readonly kind: 'waiting'; readonly state: string }
  /**
   * `explanation`: what the trace means, and the recipe, where there is one. `hasStaleHistory`:
   * restarts do not help, a new position does.
   */
  | {
      readonly kind: 'failed';
      readonly trace: string;
      readonly explanation?: string;
      readonly hasStaleHistory?: boolean;
    }
  | { readonly kind: 'missing' };

export interface HealState {
  /** Since the connector was last calm. */
  readonly restarts: number;
  /** Whether its position was rebuilt since then; once must be enough. */
  readonly rebuilt: boolean;
  readonly restartedAtMs: number;
  /** Since when it has run, or has not run, without a break. */
  readonly runs: boolean;
  readonly sinceMs: number;
}

export interface HealDecision {
  readonly state: HealState;
  /** `rebuild-position`: nothing else helps, and the outbox is shipped again. */
  readonly action: 'none' | 'restart' | 'rebuild-position';
  /** Why a human is needed. */
  readonly alarm: string | undefined;
}

export interface HealSettings {
  /**
   * Before the second restart; each later wait is twice as long. The first restart waits for
   * nothing.
   */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** A connector that has run for so long is healthy again. */
  readonly calmMs: number;
  /** A connector that is neither running nor failed for longer needs a human. */
  readonly graceMs: number;
}

const healSettings: HealSettings = {
  firstWaitMs: 5_000,
  // A connector whose cause of failure is gone must not wait for longer than half a minute.
  maxWaitMs: 25_000,
  calmMs: 60_000,
  graceMs: 30_000,
};

export function beginHealing(nowMs: number): HealState {
  return { restarts: 0, rebuilt: false, restartedAtMs: 0, runs: true, sinceMs: nowMs };
}

/** What to do about a connector that Connect itself would leave failed for good. */
export function decideHeal(
  before: HealState,
  health: ConnectorHealth,
  nowMs: number,
  settings = healSettings,
): HealDecision {
  const runs = health.kind === 'running';
  const sinceMs = runs === before.runs ? before.sinceMs : nowMs;
  const forMs = nowMs - sinceMs;
  const isCalm = runs && forMs >= settings.calmMs;
  const calmed = isCalm ? { restarts: 0, rebuilt: false } : {};
  const state = { ...before, runs, sinceMs, ...calmed };

  switch (health.kind) {
    case 'running':
      return {
        state,
        action: 'none',
        alarm: state.restarts > 1 ? flapping(state.restarts) : undefined,
      };
    case 'missing':
      return {
        state,
        action: 'none',
        alarm: 'the connector is not registered, nothing is shipped: npm run connector -- register',
      };
    case 'waiting':
      return {
        state,
        action: 'none',
        alarm:
          forMs < settings.graceMs
            ? undefined
            : `the connector does not run (${health.state}), nothing is shipped; unless another alarm says why, "npm run connector -- register" resumes it`,
      };
    case 'failed': {
      const alarm =
        state.restarts === 0
          ? undefined
          : failing(state.restarts, health.explanation ?? shorten(health.trace));
      if (nowMs < state.restartedAtMs + waitMs(state.restarts, settings))
        return { state, action: 'none', alarm };
      const tried = { ...state, restarts: state.restarts + 1, restartedAtMs: nowMs };
      // Only after a restart: brokers that were away for a moment must not cost a new snapshot.
      return state.restarts > 0 && !state.rebuilt && health.hasStaleHistory === true
        ? { state: { ...tried, rebuilt: true }, action: 'rebuild-position', alarm }
        : { state: tried, action: 'restart', alarm };
    }
  }
}

function waitMs(
  restarts: number,
  { firstWaitMs: firstMs, maxWaitMs: maxMs }: HealSettings,
): number {
  return restarts === 0 ? 0 : backoffMs({ firstMs, maxMs }, restarts);
}

function failing(restarts: number, reason: string): string {
  return `the connector has failed again after ${restarts === 1 ? 'a restart' : `${restarts} restarts`}: ${reason}`;
}

function flapping(restarts: number): string {
  return `the connector runs, but was restarted ${restarts} times lately`;
}

/** The first line, and the last cause, which says most. */
function shorten(trace: string): string {
  const lines = trace.split('\n').filter((line) => line.trim() !== '');
  const cause = lines.findLast((line) => line.startsWith('Caused by:'));
  return [lines[0] ?? 'no trace', ...(cause === undefined ? [] : [cause.trim()])]
    .join('; ')
    .slice(0, 400);
}

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
  /** Since the connector last ran undisturbed for `healthyAfterMs`. */
  readonly restarts: number;
  /** Whether its position was rebuilt since then; once must be enough. */
  readonly rebuilt: boolean;
  readonly restartedAtMs: number;
  /** Whether it runs, and since when that has been so without a break. */
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
  readonly healthyAfterMs: number;
  /** A connector that is neither running nor failed for longer needs a human. */
  readonly graceMs: number;
}

const healSettings: HealSettings = {
  firstWaitMs: 5_000,
  // A connector whose cause of failure is gone must not wait for longer than half a minute.
  maxWaitMs: 25_000,
  healthyAfterMs: 60_000,
  graceMs: 30_000,
};

/** The state of a connector that is not known to have failed. */
export function beginHealing(nowMs: number): HealState {
  return { restarts: 0, rebuilt: false, restartedAtMs: 0, runs: true, sinceMs: nowMs };
}

/** Decides what to do about a connector, which Connect itself would leave failed for good. */
export function decideHeal(
  before: HealState,
  health: ConnectorHealth,
  nowMs: number,
  settings = healSettings,
): HealDecision {
  const runs = health.kind === 'running';
  const sinceMs = runs === before.runs ? before.sinceMs : nowMs;
  const forMs = nowMs - sinceMs;
  const isHealthy = runs && forMs >= settings.healthyAfterMs;
  const forgotten = isHealthy ? { restarts: 0, rebuilt: false } : {};
  const state = { ...before, runs, sinceMs, ...forgotten };

  switch (health.kind) {
    case 'running':
      return {
        state,
        action: 'none',
        alarm:
          state.restarts > 1
            ? `the connector runs, but was restarted ${state.restarts} times lately`
            : undefined,
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
      const { restarts } = state;
      const alarm =
        restarts === 0
          ? undefined
          : `the connector has failed again after ${formatRestarts(restarts)}: ${health.explanation ?? shorten(health.trace)}`;
      const { firstWaitMs: firstMs, maxWaitMs: maxMs } = settings;
      const waitMs = restarts === 0 ? 0 : backoffMs({ firstMs, maxMs }, restarts);
      if (nowMs < state.restartedAtMs + waitMs) return { state, action: 'none', alarm };
      const tried = { ...state, restarts: restarts + 1, restartedAtMs: nowMs };
      // Only after a restart: brokers that were away for a moment must not cost a new snapshot.
      return restarts > 0 && !state.rebuilt && health.hasStaleHistory === true
        ? { state: { ...tried, rebuilt: true }, action: 'rebuild-position', alarm }
        : { state: tried, action: 'restart', alarm };
    }
  }
}

/** The first line, and the last cause, which says most. */
function shorten(trace: string): string {
  const lines = trace.split('\n').filter((line) => line.trim() !== '');
  const cause = lines.findLast((line) => line.startsWith('Caused by:'));
  return [lines[0] ?? 'no trace', ...(cause === undefined ? [] : [cause.trim()])]
    .join('; ')
    .slice(0, 400);
}

/** The connector's position as one observation finds it. */
export interface Standing {
  /**
   * Changes with everything that the connector acknowledges, during a snapshot with all that it
   * sends; empty without a position.
   */
  readonly position: string;
  /** A snapshot is under way: it may wait long for a lock, and a restart would begin it anew. */
  readonly snapshot: boolean;
}

export interface StallState {
  readonly position: string;
  readonly observedAtMs: number;
  /** Since the position moved last. */
  readonly stillMs: number;
  /** Since it moved or was restarted, whichever was later. */
  readonly waitedMs: number;
  /** For how long it has moved undisturbed, again and again. */
  readonly undisturbedMs: number;
  /** Since it last moved undisturbed for `healthyAfterMs`. */
  readonly restarts: number;
}

export interface StallDecision {
  readonly state: StallState;
  readonly restart: boolean;
  /** Why a human is needed. */
  readonly alarm: string | undefined;
}

export interface StallSettings {
  /** For so long a position may stand still although the server gets pushes. */
  readonly alarmAfterMs: number;
  /** The same for a snapshot. */
  readonly snapshotAlarmAfterMs: number;
  /** Before the first restart; each further one waits twice as long. */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** A connector that has moved for so long is healthy again. */
  readonly healthyAfterMs: number;
  /**
   * The most that one observation adds: the time between two observations proves nothing when the
   * servers did not answer in it.
   */
  readonly maxStepMs: number;
}

export const stallSettings: StallSettings = {
  alarmAfterMs: 45_000,
  snapshotAlarmAfterMs: 600_000,
  firstWaitMs: 120_000,
  maxWaitMs: 1_800_000,
  healthyAfterMs: 300_000,
  maxStepMs: 5_000,
};

/** The state before the first observation. */
export function beginStanding(nowMs: number): StallState {
  return {
    position: '',
    observedAtMs: nowMs,
    stillMs: 0,
    waitedMs: 0,
    undisturbedMs: 0,
    restarts: 0,
  };
}

/** Decides what to do about a connector that says RUNNING while the server gets pushes. */
export function decideStall(
  before: StallState,
  { position, snapshot }: Standing,
  nowMs: number,
  settings = stallSettings,
): StallDecision {
  const stepMs = Math.min(nowMs - before.observedAtMs, settings.maxStepMs);
  const hasMoved = position !== before.position;
  const stillMs = hasMoved ? 0 : before.stillMs + stepMs;
  const waitedMs = hasMoved ? 0 : before.waitedMs + stepMs;
  const undisturbedMs = stillMs < settings.alarmAfterMs ? before.undisturbedMs + stepMs : 0;
  const restarts = undisturbedMs >= settings.healthyAfterMs ? 0 : before.restarts;
  const state = { position, observedAtMs: nowMs, stillMs, waitedMs, undisturbedMs, restarts };

  if (stillMs < (snapshot ? settings.snapshotAlarmAfterMs : settings.alarmAfterMs)) {
    const alarm =
      snapshot || restarts < 2
        ? undefined
        : `the connector reads, but stood still and needed ${formatRestarts(restarts)} lately`;
    return { state, restart: false, alarm };
  }
  const alarm = describeStall({ position, snapshot }, stillMs, restarts);
  const { firstWaitMs: firstMs, maxWaitMs: maxMs } = settings;
  // Without a position it may be on its way to its first one, of which nothing shows how far it is.
  if (snapshot || position === '' || waitedMs < backoffMs({ firstMs, maxMs }, restarts + 1))
    return { state, restart: false, alarm };
  return {
    state: { ...state, waitedMs: 0, undisturbedMs: 0, restarts: restarts + 1 },
    restart: true,
    alarm,
  };
}

function describeStall(
  { position, snapshot }: Standing,
  stillMs: number,
  restarts: number,
): string {
  const stands =
    position === '' ? 'the connector has no position' : "the connector's position has not moved";
  const still = snapshot ? 'the connector takes a snapshot and has sent nothing' : stands;
  const tried = restarts === 0 ? '' : `, also after ${formatRestarts(restarts)}`;
  return `${still} for ${Math.round(stillMs / 1_000)} s although it says RUNNING${tried}`;
}

function formatRestarts(restarts: number): string {
  return restarts === 1 ? 'a restart' : `${restarts} restarts`;
}

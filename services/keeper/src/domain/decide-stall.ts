import { backoffMs } from '@board/service/backoff';

/** The connector's position as one look finds it. */
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
  readonly lookedAtMs: number;
  /** Since the position moved last. */
  readonly stillMs: number;
  /** Since it moved or was restarted, whichever was later. */
  readonly waitedMs: number;
  /** For how long it has moved again and again. */
  readonly calmMs: number;
  /** Since it was last calm. */
  readonly restarts: number;
}

export interface StallDecision {
  readonly state: StallState;
  readonly restart: boolean;
  /** Why a human is needed. */
  readonly alarm: string | undefined;
}

export interface StallSettings {
  /**
   * A position that stands still for longer, although there is cause to move, is a relay that is
   * stuck.
   */
  readonly alarmAfterMs: number;
  /** The same for a snapshot. */
  readonly snapshotAlarmAfterMs: number;
  /** Before the first restart; each further one waits twice as long. */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** A connector that has moved for so long is healthy again. */
  readonly calmAfterMs: number;
  /**
   * The most that one look adds: what lies between two looks when the servers did not answer proves
   * nothing.
   */
  readonly maxStepMs: number;
}

export const stallSettings: StallSettings = {
  alarmAfterMs: 45_000,
  snapshotAlarmAfterMs: 600_000,
  firstWaitMs: 120_000,
  maxWaitMs: 1_800_000,
  calmAfterMs: 300_000,
  maxStepMs: 5_000,
};

export function beginStanding(nowMs: number): StallState {
  return { position: '', lookedAtMs: nowMs, stillMs: 0, waitedMs: 0, calmMs: 0, restarts: 0 };
}

/** What to do about a connector that says RUNNING and has been given cause to move. */
export function decideStall(
  before: StallState,
  { position, snapshot }: Standing,
  nowMs: number,
  settings = stallSettings,
): StallDecision {
  const stepMs = Math.min(nowMs - before.lookedAtMs, settings.maxStepMs);
  const hasMoved = position !== before.position;
  const stillMs = hasMoved ? 0 : before.stillMs + stepMs;
  const waitedMs = hasMoved ? 0 : before.waitedMs + stepMs;
  const calmMs = stillMs < settings.alarmAfterMs ? before.calmMs + stepMs : 0;
  const restarts = calmMs >= settings.calmAfterMs ? 0 : before.restarts;
  const state = { position, lookedAtMs: nowMs, stillMs, waitedMs, calmMs, restarts };

  if (stillMs < (snapshot ? settings.snapshotAlarmAfterMs : settings.alarmAfterMs)) {
    return {
      state,
      restart: false,
      alarm: snapshot || restarts < 2 ? undefined : repeated(restarts),
    };
  }
  const alarm = describe({ position, snapshot }, stillMs, restarts);
  // Without a position it may be on its way to its first one, of which nothing shows how far it is.
  if (snapshot || position === '' || waitedMs < waitMs(restarts, settings))
    return { state, restart: false, alarm };
  return {
    state: { ...state, waitedMs: 0, calmMs: 0, restarts: restarts + 1 },
    restart: true,
    alarm,
  };
}

function waitMs(
  restarts: number,
  { firstWaitMs: firstMs, maxWaitMs: maxMs }: StallSettings,
): number {
  return backoffMs({ firstMs, maxMs }, restarts + 1);
}

function describe({ position, snapshot }: Standing, stillMs: number, restarts: number): string {
  const stands =
    position === '' ? 'the connector has no position' : "the connector's position has not moved";
  const still = snapshot ? 'the connector takes a snapshot and has sent nothing' : stands;
  const tried = restarts === 0 ? '' : `, also after ${counted(restarts)}`;
  return `${still} for ${Math.round(stillMs / 1_000)} s although it says RUNNING${tried}`;
}

function repeated(restarts: number): string {
  return `the connector reads, but stood still and needed ${counted(restarts)} lately`;
}

function counted(restarts: number): string {
  return restarts === 1 ? 'a restart' : `${restarts} restarts`;
}

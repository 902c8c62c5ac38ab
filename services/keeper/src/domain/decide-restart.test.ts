import { describe, expect, it } from 'vitest';
import {
  beginHealing,
  beginStanding,
  decideHeal,
  decideStall,
  type ConnectorHealth,
  type HealSettings,
  type StallSettings,
} from './decide-restart.ts';

const healSettings: HealSettings = {
  firstWaitMs: 10,
  maxWaitMs: 40,
  healthyAfterMs: 100,
  graceMs: 30,
};
const failed: ConnectorHealth = {
  kind: 'failed',
  trace: 'ConnectException: x\n\tat y\nCaused by: RecordTooLarge\n\tat z',
};
const running: ConnectorHealth = { kind: 'running' };

/** Passes one health after the other, one a millisecond; returns when it restarted and rebuilt. */
function playHealths(healths: readonly ConnectorHealth[], startMs = 1_000) {
  let state = beginHealing(startMs);
  const restarts: number[] = [];
  const rebuilds: number[] = [];
  let alarm: string | undefined;
  healths.forEach((health, ms) => {
    const decision = decideHeal(state, health, startMs + ms, healSettings);
    if (decision.action === 'restart') restarts.push(ms);
    if (decision.action === 'rebuild-position') rebuilds.push(ms);
    ({ state, alarm } = decision);
  });
  return { restarts, rebuilds, alarm };
}

const times = (count: number, health: ConnectorHealth): ConnectorHealth[] =>
  Array.from({ length: count }, () => health);

describe('decideHeal', () => {
  it('restarts at once, then after growing waits, up to the longest', () => {
    expect(playHealths(times(160, failed)).restarts).toEqual([0, 10, 30, 70, 110, 150]);
  });

  it('raises no alarm for a failure that one restart heals', () => {
    expect(playHealths([failed]).alarm).toBeUndefined();
    expect(playHealths([failed, ...times(5, running)]).alarm).toBeUndefined();
  });

  it('raises an alarm with the cause when a restart did not help', () => {
    expect(playHealths([failed, failed]).alarm).toBe(
      'the connector has failed again after a restart: ConnectException: x; Caused by: RecordTooLarge',
    );
  });

  it('keeps the count for a connector that runs for a moment between two failures', () => {
    const flap = [failed, ...times(10, running), failed, ...times(20, running)];
    expect(playHealths([...flap, failed]).restarts).toEqual([0, 11, 32]);
    expect(playHealths(flap).alarm).toContain('restarted 2 times');
  });

  it('clears the alarm and the count once the connector has run for long', () => {
    const healed = [failed, failed, ...times(101, running)];
    expect(playHealths(healed).alarm).toBeUndefined();
    expect(
      playHealths([failed, ...times(10, running), failed, ...times(101, running), failed, failed])
        .restarts,
    ).toEqual([0, 11, 113]);
  });

  it('never restarts a paused connector, and raises an alarm after a while', () => {
    const paused: ConnectorHealth = { kind: 'waiting', state: 'connector PAUSED' };
    expect(playHealths(times(30, paused))).toEqual({
      restarts: [],
      rebuilds: [],
      alarm: undefined,
    });
    expect(playHealths(times(31, paused)).alarm).toContain('connector PAUSED');
  });

  it('raises an alarm at once for a connector that is not registered', () => {
    expect(playHealths([{ kind: 'missing' }]).alarm).toContain('not registered');
    expect(playHealths([{ kind: 'missing' }])).toMatchObject({ restarts: [], rebuilds: [] });
  });

  it('tries again within half a minute of the last try, after any number of failures', () => {
    let state = { ...beginHealing(0), restarts: 1_000, restartedAtMs: 0 };
    const action = (nowMs: number) => decideHeal(state, failed, nowMs).action;
    expect([action(20_000), action(29_000)]).toEqual(['none', 'restart']);
    state = { ...state, restarts: 3 };
    expect(action(29_000)).toBe('restart');
  });

  it('rebuilds the position once when a restart has not helped against a stale schema history', () => {
    const lost: ConnectorHealth = { ...failed, hasStaleHistory: true };
    expect(playHealths(times(100, lost))).toMatchObject({ restarts: [0, 30, 70], rebuilds: [10] });
    expect(playHealths([lost, ...times(20, running)]).rebuilds).toEqual([]);
    expect(
      playHealths([...times(11, lost), ...times(101, running), ...times(11, lost)]).rebuilds,
    ).toEqual([10, 122]);
  });

  it('rebuilds no position for another failure', () => {
    expect(playHealths(times(500, failed)).rebuilds).toEqual([]);
  });
});

const stallSettings: StallSettings = {
  alarmAfterMs: 5,
  snapshotAlarmAfterMs: 300,
  firstWaitMs: 10,
  maxWaitMs: 40,
  healthyAfterMs: 100,
  maxStepMs: 2,
};

interface Phase {
  readonly ms: number;
  readonly position?: string;
  readonly snapshot?: boolean;
  readonly moves?: boolean;
  /** Time between two observations. */
  readonly stepMs?: number;
}

/** Observes once a millisecond; returns when it restarted. */
function playPhases(...phases: readonly Phase[]) {
  let nowMs = 0;
  let state = beginStanding(nowMs);
  let alarm: string | undefined;
  const restarts: number[] = [];
  for (const { ms, position = 'at', snapshot = false, moves = false, stepMs = 1 } of phases) {
    for (const endMs = nowMs + ms; nowMs < endMs;) {
      nowMs += stepMs;
      const decision = decideStall(
        state,
        { position: moves ? `${position} ${nowMs}` : position, snapshot },
        nowMs,
        stallSettings,
      );
      if (decision.restart) restarts.push(nowMs);
      ({ state, alarm } = decision);
    }
  }
  return { restarts, alarm };
}

describe('decideStall', () => {
  it('does nothing while the position moves', () => {
    expect(playPhases({ ms: 500, moves: true })).toEqual({ restarts: [], alarm: undefined });
  });

  it('raises an alarm before the first restart when the position stands still', () => {
    expect(playPhases({ ms: 5 }).alarm).toBeUndefined();
    expect(playPhases({ ms: 7 })).toEqual({
      restarts: [],
      alarm: expect.stringContaining('has not moved for 0 s'),
    });
  });

  it('restarts after a stall; each further restart waits twice as long, up to the longest wait', () => {
    expect(playPhases({ ms: 200 }).restarts).toEqual([11, 31, 71, 111, 151, 191]);
  });

  it('keeps the alarm while restarts do not help', () => {
    expect(playPhases({ ms: 20 }).alarm).toContain('also after a restart');
    expect(playPhases({ ms: 60 }).alarm).toContain('also after 2 restarts');
  });

  it('never restarts a snapshot, and raises an alarm when it has sent nothing for long', () => {
    expect(playPhases({ ms: 300, snapshot: true }).alarm).toBeUndefined();
    expect(playPhases({ ms: 1_000, snapshot: true, moves: true })).toEqual({
      restarts: [],
      alarm: undefined,
    });
    expect(playPhases({ ms: 1_000, snapshot: true })).toEqual({
      restarts: [],
      alarm: expect.stringContaining('snapshot'),
    });
  });

  it('raises an alarm without a restart before the first position', () => {
    expect(playPhases({ ms: 500, position: '' })).toEqual({
      restarts: [],
      alarm: expect.stringContaining('no position'),
    });
  });

  it('keeps the count when the position moves for a moment between two stalls', () => {
    expect(playPhases({ ms: 12 }, { ms: 20, moves: true }, { ms: 30 }).restarts).toEqual([11, 53]);
  });

  it('clears the alarm and the count once the position has moved for long', () => {
    expect(playPhases({ ms: 12 }, { ms: 120, moves: true }, { ms: 30 }).restarts).toEqual([
      11, 143,
    ]);
    expect(playPhases({ ms: 32 }, { ms: 50, moves: true }).alarm).toContain('needed 2 restarts');
    expect(playPhases({ ms: 32 }, { ms: 120, moves: true }).alarm).toBeUndefined();
  });

  it('does not count time in which nothing could be asked', () => {
    expect(playPhases({ ms: 4 }, { ms: 1_000, stepMs: 1_000 })).toEqual({
      restarts: [],
      alarm: expect.any(String),
    });
    expect(playPhases({ ms: 2 }, { ms: 1_000, stepMs: 1_000 })).toEqual({
      restarts: [],
      alarm: undefined,
    });
  });
});

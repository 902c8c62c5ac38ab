import { describe, expect, it } from 'vitest';
import { beginStanding, decideStall, type StallSettings } from './decide-stall.ts';

const settings: StallSettings = {
  alarmAfterMs: 5,
  snapshotAlarmAfterMs: 300,
  firstWaitMs: 10,
  maxWaitMs: 40,
  calmAfterMs: 100,
  maxStepMs: 2,
};

interface Phase {
  readonly ms: number;
  readonly position?: string;
  readonly snapshot?: boolean;
  readonly moves?: boolean;
  /** Time between two looks. */
  readonly stepMs?: number;
}

/** Looks once a millisecond, and says when it restarted. */
function play(...phases: readonly Phase[]) {
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
        settings,
      );
      if (decision.restart) restarts.push(nowMs);
      ({ state, alarm } = decision);
    }
  }
  return { restarts, alarm };
}

describe('a connector that says RUNNING', () => {
  it('is left alone while its position moves', () => {
    expect(play({ ms: 500, moves: true })).toEqual({ restarts: [], alarm: undefined });
  });

  it('raises an alarm when the position stands still, before anything is restarted', () => {
    expect(play({ ms: 5 }).alarm).toBeUndefined();
    expect(play({ ms: 7 })).toEqual({
      restarts: [],
      alarm: expect.stringContaining('has not moved for 0 s'),
    });
  });

  it('is restarted once it has stood still, and each further restart waits twice as long, up to the longest', () => {
    expect(play({ ms: 200 }).restarts).toEqual([11, 31, 71, 111, 151, 191]);
  });

  it('stays red while restarts do not help', () => {
    expect(play({ ms: 20 }).alarm).toContain('also after a restart');
    expect(play({ ms: 60 }).alarm).toContain('also after 2 restarts');
  });

  it('is never restarted during a snapshot, and an alarm is raised only for one that sends nothing for long', () => {
    expect(play({ ms: 300, snapshot: true }).alarm).toBeUndefined();
    expect(play({ ms: 1_000, snapshot: true, moves: true })).toEqual({
      restarts: [],
      alarm: undefined,
    });
    expect(play({ ms: 1_000, snapshot: true })).toEqual({
      restarts: [],
      alarm: expect.stringContaining('snapshot'),
    });
  });

  it('is not restarted before it has its first position, but that is said', () => {
    expect(play({ ms: 500, position: '' })).toEqual({
      restarts: [],
      alarm: expect.stringContaining('no position'),
    });
  });

  it('waits as long as before when it has moved for a moment only between two stalls', () => {
    expect(play({ ms: 12 }, { ms: 20, moves: true }, { ms: 30 }).restarts).toEqual([11, 53]);
  });

  it('begins anew once it has moved for long', () => {
    expect(play({ ms: 12 }, { ms: 120, moves: true }, { ms: 30 }).restarts).toEqual([11, 143]);
    expect(play({ ms: 32 }, { ms: 50, moves: true }).alarm).toContain('needed 2 restarts');
    expect(play({ ms: 32 }, { ms: 120, moves: true }).alarm).toBeUndefined();
  });

  it('is not blamed for time in which nothing could be asked', () => {
    expect(play({ ms: 4 }, { ms: 1_000, stepMs: 1_000 })).toEqual({
      restarts: [],
      alarm: expect.any(String),
    });
    expect(play({ ms: 2 }, { ms: 1_000, stepMs: 1_000 })).toEqual({
      restarts: [],
      alarm: undefined,
    });
  });
});

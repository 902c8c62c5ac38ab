import { describe, expect, it } from 'vitest';
import {
  beginHealing,
  decideHeal,
  type ConnectorHealth,
  type HealSettings,
} from './decide-heal.ts';

const settings: HealSettings = { firstWaitMs: 10, maxWaitMs: 40, calmMs: 100, graceMs: 30 };
const failed: ConnectorHealth = {
  kind: 'failed',
  trace: 'ConnectException: x\n\tat y\nCaused by: RecordTooLarge\n\tat z',
};
const running: ConnectorHealth = { kind: 'running' };

/** Tells it one health after the other, one a millisecond, and says when it restarted. */
function play(healths: readonly ConnectorHealth[], startMs = 1_000) {
  let state = beginHealing(startMs);
  const restarts: number[] = [];
  const rebuilds: number[] = [];
  let alarm: string | undefined;
  healths.forEach((health, ms) => {
    const decision = decideHeal(state, health, startMs + ms, settings);
    if (decision.action === 'restart') restarts.push(ms);
    if (decision.action === 'rebuild-position') rebuilds.push(ms);
    ({ state, alarm } = decision);
  });
  return { restarts, rebuilds, alarm };
}

const times = (count: number, health: ConnectorHealth): ConnectorHealth[] =>
  Array.from({ length: count }, () => health);

describe('healing', () => {
  it('restarts at once, then after growing waits, up to the longest', () => {
    expect(play(times(160, failed)).restarts).toEqual([0, 10, 30, 70, 110, 150]);
  });

  it('raises NO alarm for a failure that one restart heals', () => {
    expect(play([failed]).alarm).toBeUndefined();
    expect(play([failed, ...times(5, running)]).alarm).toBeUndefined();
  });

  it('raises one when a restart did not help, with the cause', () => {
    expect(play([failed, failed]).alarm).toBe(
      'the connector has failed again after a restart: ConnectException: x; Caused by: RecordTooLarge',
    );
  });

  it('does NOT begin anew for a connector that runs for a moment between two failures', () => {
    const flap = [failed, ...times(10, running), failed, ...times(20, running)];
    expect(play([...flap, failed]).restarts).toEqual([0, 11, 32]);
    expect(play(flap).alarm).toContain('restarted 2 times');
  });

  it('is calm, and begins anew, once it has run for long', () => {
    const healed = [failed, failed, ...times(101, running)];
    expect(play(healed).alarm).toBeUndefined();
    expect(
      play([failed, ...times(10, running), failed, ...times(101, running), failed, failed])
        .restarts,
    ).toEqual([0, 11, 113]);
  });

  it('leaves alone what somebody has PAUSED, and says so after a while', () => {
    const paused: ConnectorHealth = { kind: 'waiting', state: 'connector PAUSED' };
    expect(play(times(30, paused))).toEqual({ restarts: [], rebuilds: [], alarm: undefined });
    expect(play(times(31, paused)).alarm).toContain('connector PAUSED');
  });

  it('says at once that it is not registered', () => {
    expect(play([{ kind: 'missing' }]).alarm).toContain('not registered');
    expect(play([{ kind: 'missing' }])).toMatchObject({ restarts: [], rebuilds: [] });
  });

  it('tries again at most half a minute after the last try, however often it has failed', () => {
    let state = { ...beginHealing(0), restarts: 1_000, restartedAtMs: 0 };
    const action = (nowMs: number) => decideHeal(state, failed, nowMs).action;
    expect([action(20_000), action(29_000)]).toEqual(['none', 'restart']);
    state = { ...state, restarts: 3 };
    expect(action(29_000)).toBe('restart');
  });

  it('rebuilds the position once, when a restart has not helped against a schema history that does not fit', () => {
    const lost: ConnectorHealth = { ...failed, hasStaleHistory: true };
    expect(play(times(100, lost))).toMatchObject({ restarts: [0, 30, 70], rebuilds: [10] });
    expect(play([lost, ...times(20, running)]).rebuilds).toEqual([]);
    expect(play([...times(11, lost), ...times(101, running), ...times(11, lost)]).rebuilds).toEqual(
      [10, 122],
    );
  });

  it('rebuilds no position for any other failure', () => {
    expect(play(times(500, failed)).rebuilds).toEqual([]);
  });
});

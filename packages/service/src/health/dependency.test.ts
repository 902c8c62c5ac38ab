import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createHealth } from '../http/service-routers.ts';
import { createLogger } from '../process/telemetry.ts';
import { createOutageAlarm, waitForDependency } from './dependency.ts';
import { createAlarms } from './health.ts';

describe('waitForDependency', () => {
  function waiting() {
    const lines: unknown[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const { readiness, alarms } = createHealth();
    const logger = createLogger({ name: 'test', level: 'info', destination });
    const elapsedMs = (): number => Date.now();
    return { lines, readiness, alarms, elapsedMs, logger, signal: new AbortController().signal };
  }

  test('readiness is red until the dependency answers, and the log has each try with its innermost reason', async () => {
    const context = waiting();
    const red: unknown[] = [];
    await waitForDependency(
      { name: 'registry', server: 'the registry at r:8081' },
      context,
      async () => {
        red.push(await context.readiness.failing());
        if (red.length === 1)
          throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
      },
    );
    expect(red).toEqual([
      { registry: 'not asked yet' },
      { registry: 'fetch failed: ECONNREFUSED' },
    ]);
    expect(await context.readiness.failing()).toEqual({});
    expect(context.lines).toMatchObject([
      { event: 'dependency.waiting', dependency: 'registry', reason: 'fetch failed: ECONNREFUSED' },
      { event: 'dependency.ready', dependency: 'registry' },
    ]);
  });

  test('a fatal fault is not waited for', async () => {
    const wrong = new RangeError('sync_binlog is 0');
    await expect(
      waitForDependency(
        { name: 'database', server: 'MySQL at db:3306' },
        { ...waiting(), isFatal: (error) => error === wrong },
        () => Promise.reject(wrong),
      ),
    ).rejects.toBe(wrong);
  });

  test('a dependency that does not answer for long raises an alarm that names it, cleared by its next answer', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const context = waiting();
    let isAway = true;
    const waited = waitForDependency(
      { name: 'database', server: 'MySQL at db:3306' },
      context,
      () => (isAway ? Promise.reject(new Error('connect ETIMEDOUT')) : Promise.resolve()),
    );
    await vi.advanceTimersByTimeAsync(19_000);
    expect(context.alarms.active().size).toBe(0);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(context.alarms.active().get('database')?.reason).toMatch(
      /^MySQL at db:3306 cannot be used since .*: connect ETIMEDOUT; docs\/runbook\.md/,
    );
    isAway = false;
    await vi.advanceTimersByTimeAsync(7_000);
    await waited;
    expect(context.alarms.active().size).toBe(0);
  });
});

describe('the outage alarm', () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }));
  afterEach(() => void vi.useRealTimers());

  function start(elapsedMs = () => Date.now()) {
    const alarms = createAlarms();
    const outage = createOutageAlarm({
      alarms,
      key: 'database',
      what: 'MySQL at db:3306 cannot be used',
      elapsedMs,
    });
    const pass = (seconds: number): unknown => vi.advanceTimersByTime(seconds * 1_000);
    return { outage, pass, reason: () => alarms.active().get('database')?.reason };
  }

  const refused = new Error('The database cannot be reached.', {
    cause: new Error('connect ECONNREFUSED'),
  });
  const since = (time: string, reason: string): string =>
    `MySQL at db:3306 cannot be used since 2026-01-01T00:${time}.000Z: ${reason}; docs/runbook.md "A server does not answer"`;

  test('an outage raises an alarm after 20 s, not before, which names the server, the last answer and the newest reason', () => {
    const { outage, pass, reason } = start();
    pass(10);
    outage.answered();
    outage.failed(new Error('read ECONNRESET'));
    pass(19);
    outage.failed(refused);
    expect(reason()).toBeUndefined();
    pass(1);
    expect(reason()).toBe(since('00:10', 'The database cannot be reached: connect ECONNREFUSED'));
    outage.failed(new Error('connect ETIMEDOUT'));
    pass(1);
    expect(reason()).toBe(since('00:10', 'connect ETIMEDOUT'));
  });

  test('an answer clears the alarm at once, and the next outage is a new one', () => {
    const { outage, pass, reason } = start();
    outage.failed(refused);
    pass(30);
    expect(reason()).toBeDefined();
    outage.answered();
    expect(reason()).toBeUndefined();
    pass(19);
    expect(reason()).toBeUndefined();
    pass(1);
    expect(reason()).toBe(since('00:30', 'no answer'));
  });

  test('a server that answers now and then raises no alarm', () => {
    const { outage, pass, reason } = start();
    for (let round = 0; round < 10; round += 1) {
      outage.failed(refused);
      pass(15);
      expect(reason()).toBeUndefined();
      outage.answered();
    }
  });

  test('time in which the process itself stood still does not count', () => {
    let elapsed = 0;
    const { pass, reason } = start(() => elapsed);
    pass(3_600);
    expect(reason()).toBeUndefined();
    elapsed = 20_000;
    pass(1);
    expect(reason()).toBeDefined();
  });

  test('once stopped, neither an alarm is left nor a new one raised', () => {
    const { outage, pass, reason } = start();
    pass(30);
    outage.stop();
    expect(reason()).toBeUndefined();
    pass(30);
    expect(reason()).toBeUndefined();
  });
});

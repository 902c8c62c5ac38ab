import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAlarms } from './health.ts';
import { createOutageAlarm } from './dependency.ts';

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

import { expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '../process/telemetry.ts';
import { createHealth } from '../http/service-routers.ts';
import { waitForDependency } from './dependency.ts';

function waiting() {
  const lines: unknown[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const { readiness, alarms } = createHealth();
  const logger = createLogger({ name: 'test', level: 'info', destination });
  const elapsedMs = (): number => Date.now();
  return { lines, readiness, alarms, elapsedMs, logger, signal: new AbortController().signal };
}

test('until it answers, readiness is RED and the log says each try with its innermost reason', async () => {
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
  expect(red).toEqual([{ registry: 'not asked yet' }, { registry: 'fetch failed: ECONNREFUSED' }]);
  expect(await context.readiness.failing()).toEqual({});
  expect(context.lines).toMatchObject([
    { event: 'dependency.waiting', dependency: 'registry', reason: 'fetch failed: ECONNREFUSED' },
    { event: 'dependency.ready', dependency: 'registry' },
  ]);
});

test('a FATAL fault is not waited for', async () => {
  const wrong = new RangeError('sync_binlog is 0');
  await expect(
    waitForDependency(
      { name: 'database', server: 'MySQL at db:3306' },
      { ...waiting(), isFatal: (error) => error === wrong },
      () => Promise.reject(wrong),
    ),
  ).rejects.toBe(wrong);
});

test('one that does not answer for long raises an alarm that names it, and clears it once it answers', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const context = waiting();
  let isAway = true;
  const waited = waitForDependency({ name: 'database', server: 'MySQL at db:3306' }, context, () =>
    isAway ? Promise.reject(new Error('connect ETIMEDOUT')) : Promise.resolve(),
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

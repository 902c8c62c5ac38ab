import { expect, test } from 'vitest';
import { createLogger } from './create-logger.ts';
import { createHealth } from './health/create-health.ts';
import { waitForDependency } from './wait-for-dependency.ts';

function waiting() {
  const lines: unknown[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const { readiness } = createHealth();
  const logger = createLogger({ name: 'test', level: 'info', destination });
  return { lines, readiness, logger, signal: new AbortController().signal };
}

test('until it answers, readiness is RED and the log says each try with its innermost reason', async () => {
  const context = waiting();
  const red: unknown[] = [];
  await waitForDependency('registry', context, async () => {
    red.push(await context.readiness.failing());
    if (red.length === 1) throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
  });
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
    waitForDependency('database', { ...waiting(), isFatal: (error) => error === wrong }, () => Promise.reject(wrong)),
  ).rejects.toBe(wrong);
});

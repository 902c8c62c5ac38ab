import { createMetrics, createLogger, createHealth } from '@board/service';
import { waitUntil } from '@board/test';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createCircuitBreaker } from '../src/fail/circuit-breaker.ts';
import { createInboxMetrics } from '../src/health/observe.ts';
import { defaultSettings } from '../src/settings.ts';
import { createMysqlStore } from '../src/store/mysql-store.ts';
import { openInboxLab, type InboxLab } from './support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterAll(() => lab.close());

/**
 * A pool that is full of sessions that may only read, as those to the old primary of a switch-over;
 * new ones may write.
 */
async function openSwitchedOver(poolSize: number): Promise<DataSource> {
  const dataSource = await lab.openDataSource({ poolSize });
  const runners = Array.from({ length: poolSize }, () => dataSource.createQueryRunner());
  await Promise.all(
    runners.map((runner) => runner.query('SET SESSION transaction_read_only = ON')),
  );
  await Promise.all(runners.map((runner) => runner.release()));
  return dataSource;
}

it('consumes again after a switch-over that left every pooled connection on a read-only server', async () => {
  const dataSource = await openSwitchedOver(4);
  const { inbox, failure } = await lab.start(thingLogHandler(), { dataSource });
  await lab.produce([lab.thing('a', 1), lab.thing('b', 1), lab.thing('c', 1)]);
  await waitUntil('applied', async () => (await appliedVersions(lab.schema.root)).size === 3, {
    timeoutMs: 40_000,
  });
  expect(failure()).toBeUndefined();
  expect(inbox.breaker.isOpen()).toBe(false);
  expect(await lab.rows('SELECT * FROM dead_letter')).toEqual([]);
});

it('opens the circuit breaker on a new connection when the pooled one became read-only', async () => {
  const breaker = createCircuitBreaker({
    store: createMysqlStore({
      dataSource: await openSwitchedOver(1),
      consumer: { group: `${lab.group}.breaker`, aggregateType: 'thing' },
      nowMs: Date.now,
    }),
    settings: { ...defaultSettings, breakerDeadLetters: 1, breakerFailedShare: -1 },
    alarms: createHealth().alarms,
    metrics: createInboxMetrics(createMetrics(lab.group)),
    logger: createLogger({ name: lab.group, level: 'silent' }),
    elapsedMs: () => performance.now(),
  });
  await expect(breaker.admit(1)).rejects.toThrow(/read.only/i);
  await expect(breaker.admit(1)).rejects.toThrow('the circuit breaker is open');
  expect(breaker.isOpen()).toBe(true);
});

import { createMetrics, createLogger, createHealth } from '@board/service-kit';
import { waitUntil } from '@board/test';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createInboxMetrics } from '../src/health/metrics.ts';
import { createFloodGuard } from '../src/fail/circuit-breaker.ts';
import { defaultSettings } from '../src/settings.ts';
import { openInboxLab, type InboxLab } from './support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterAll(() => lab.close());

/** A pool that is full of sessions that may only read, as those to the old primary of a switch-over; new ones may write. */
async function openSwitchedOver(poolSize: number): Promise<DataSource> {
  const dataSource = await lab.openDataSource({ poolSize });
  const runners = Array.from({ length: poolSize }, () => dataSource.createQueryRunner());
  await Promise.all(runners.map((runner) => runner.query('SET SESSION transaction_read_only = ON')));
  await Promise.all(runners.map((runner) => runner.release()));
  return dataSource;
}

it('consumes again after a switch-over that left every pooled connection on a read-only server', async () => {
  const dataSource = await openSwitchedOver(4);
  const { inbox, failure } = await lab.start(thingLogHandler(), { dataSource });
  await lab.produce([lab.thing('a', 1), lab.thing('b', 1), lab.thing('c', 1)]);
  await waitUntil('applied', async () => (await appliedVersions(lab.schema.root)).size === 3, { timeoutMs: 40_000 });
  expect(failure()).toBeUndefined();
  expect(inbox.guard.isOpen()).toBe(false);
  expect(await lab.rows('SELECT * FROM dead_letter')).toEqual([]);
});

it('opens the flood guard on a connection of its own when the pooled one became read-only', async () => {
  const guard = createFloodGuard({
    consumer: { group: `${lab.group}.guard`, aggregateType: 'thing' },
    dataSource: await openSwitchedOver(1),
    settings: { ...defaultSettings, floodLetters: 1, floodFailedShare: -1 },
    alarms: createHealth().alarms,
    metrics: createInboxMetrics(createMetrics(lab.group)),
    logger: createLogger({ name: lab.group, level: 'silent' }),
    elapsedMs: () => performance.now(),
  });
  await expect(guard.admit(1)).rejects.toThrow(/read.only/i);
  await expect(guard.admit(1)).rejects.toThrow('the flood guard is open');
  expect(guard.isOpen()).toBe(true);
});

import { retryGroupOf, retryTopicName } from '@board/contracts';
import { waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { auditedTopics } from '../src/audit/topics.ts';
import { inboxStatus } from '../src/operator/status.ts';
import { openInboxLab, readDeadLetters, type InboxLab } from './support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterAll(() => lab.close());

it('a definition with fewer tiers applies or dead-letters what waits in the others, and audit and status see them', async () => {
  const failing = new Set(['repaired', 'never']);
  const attempts: string[] = [];
  const handler = thingLogHandler({
    sabotage({ aggregateId, attempt }) {
      attempts.push(`${aggregateId} ${attempt}`);
      if (failing.has(aggregateId)) throw new Error('planned');
    },
  });
  const before = await lab.start(handler, {
    retryTiers: 3,
    settings: { retryBaseMs: 20, retryFactor: 20 },
  });
  await lab.produce([lab.thing('repaired', 1), lab.thing('never', 1)]);
  // The third tier makes them wait for eight seconds.
  await waitUntil('the third attempt of both', () =>
    ['repaired 3', 'never 3'].every((one) => attempts.includes(one)),
  );
  const topics = await auditedTopics(lab.kafka, { ...lab.consumer, retryTiers: 1 });
  expect(topics.retries).toEqual([1, 2, 3].map((tier) => retryTopicName(lab.group, tier)));
  const operator = {
    consumer: { group: lab.group, aggregateType: 'thing' },
    kafka: lab.kafka,
    now: Date.now,
  };
  const dataSource = await lab.openDataSource();
  const waiting = async () => (await inboxStatus({ ...operator, dataSource }, lab.topic)).retries;
  await waitUntil('both in the third tier', async () => (await waiting()).at(-1)?.records === 2);
  await before.stop();

  failing.delete('repaired');
  await lab.start(handler, { retryTiers: 1 });
  await waitUntil('applied', async () => (await appliedVersions(lab.schema.root)).has('repaired'));
  // Its attempts are spent by the definition of now.
  const dead = await waitUntil('dead', async () =>
    (await readDeadLetters(lab)).find(({ key }) => String(key) === 'never'),
  );
  expect(dead.headers).toMatchObject({
    'inbox-reason': 'attempts-exhausted',
    'inbox-attempts': '4',
  });
  await waitUntil('nothing left', async () =>
    (await waiting()).every(({ records }) => records === 0),
  );
  const { groups } = await inboxStatus({ ...operator, dataSource }, lab.topic);
  expect(groups.map(({ group }) => group)).toContain(retryGroupOf(lab.consumer));
});

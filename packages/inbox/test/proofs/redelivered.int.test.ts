import { waitUntil } from '@board/test';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { InvalidEventError } from '../../src/errors.ts';
import { skipVersion } from '../../src/operator/skip.ts';
import { spawnConsumer } from '../support/consumer-process.ts';
import { openInboxLab, readDeadLetters, type InboxLab } from '../support/inbox-lab.ts';
import { retryLag } from '../support/lag.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

let lab: InboxLab;
beforeEach(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterEach(() => lab.close());

const applied = () => appliedVersions(lab.schema.root);
const marks = () => lab.rows<{ version: number }>('SELECT version FROM mark');
const parked = () => lab.rows<{ version: number }>('SELECT version FROM parked ORDER BY version');

it('leaves nothing stuck when a retry fills the gap, the process dies before draining, and the parked event comes again', async () => {
  const records = [1, 2, 3, 4, 5, 6].map((version) => lab.thing('a', version));
  await lab.produce(records);
  const doomed = spawnConsumer(lab, {
    failFirst: { aggregateId: 'a', version: 5 },
    killAt: 'before-drain',
  });
  try {
    expect(await doomed.ended).toBe('SIGKILL');
  } finally {
    await doomed.kill();
  }
  expect(await marks()).toEqual([{ version: 5 }]);
  expect(await parked()).toEqual([{ version: 6 }]);

  await lab.produce(records.slice(5));
  const { health } = await lab.start(thingLogHandler(), { settings: { parkedAlarmAgeMs: 1_000 } });
  await lab.caughtUp();
  await waitUntil('retry topics read to their ends', async () => (await retryLag(lab)) === 0n);
  expect(await applied()).toEqual(new Map([['a', [1, 2, 3, 4, 5, 6]]]));
  expect(await parked()).toEqual([]);
  await waitUntil('alarms quiet', () => health.alarms.active().size === 0);
});

it('makes no second dead letter and no second effect when offsets go back to the earliest behind a skip by hand', async () => {
  const handler = thingLogHandler({
    sabotage: ({ version }) => {
      if (version === 2) throw new InvalidEventError('planted');
    },
  });
  const first = await lab.start(handler);
  await lab.produce([1, 2, 3, 4].map((version) => lab.thing('a', version)));
  await lab.caughtUp();
  const skipped = await skipVersion(first.operator, {
    aggregateId: 'a',
    version: 2,
    reason: 'planted',
  });
  expect(skipped.outcome).toBe('skipped');
  await waitUntil('the followers applied', async () => (await applied()).get('a')?.length === 3);
  await first.stop();

  const admin = lab.kafka.admin();
  await admin.connect();
  await admin.resetOffsets({ groupId: lab.group, topic: lab.topic, earliest: true });
  await admin.disconnect();
  await lab.start(handler);
  await lab.produce([lab.thing('a', 5)]);
  await waitUntil('a later event applied', async () => (await applied()).get('a')?.includes(5));
  expect(await applied()).toEqual(new Map([['a', [1, 3, 4, 5]]]));
  expect(await readDeadLetters(lab)).toHaveLength(1);
});

import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { openInboxLab, readDeadLetters, type InboxLab } from './support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterEach(() => lab.reset());
afterAll(() => lab.close());

const settings = {
  breakerDeadLetters: 5,
  breakerProbeEveryMs: 300,
  retryBaseMs: 20,
  maxWaitMs: 200,
};
const things = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => lab.thing(`${prefix}${n}`, 1));

it('opens when every aggregate fails, adds no dead letter over a restart, and closes by itself once the handler works again', async () => {
  let broken = true;
  const handler = thingLogHandler({
    sabotage: () => {
      if (broken) throw new Error('planted');
    },
  });
  const first = await lab.start(handler, { settings });
  await lab.produce(things('a', 60));
  await waitUntil('breaker open', () => first.inbox.breaker.isOpen());
  expect(first.health.alarms.active().get('circuit breaker')?.reason).toMatch(
    /circuit breaker is open/,
  );
  await first.stop();
  const deadLetters = (await readDeadLetters(lab)).length;

  const second = await lab.start(handler, { settings });
  expect(second.inbox.breaker.isOpen()).toBe(true);
  const probes = () => lab.rows<{ probe_at: string }>('SELECT probe_at FROM flood_guard');
  const [before] = await probes();
  await waitUntil(
    'three probes',
    async () =>
      Number((await probes())[0]?.probe_at) >
      Number(before?.probe_at) + 3 * settings.breakerProbeEveryMs,
  );
  expect(await readDeadLetters(lab)).toHaveLength(deadLetters);

  broken = false;
  await waitUntil('breaker closed', () => !second.inbox.breaker.isOpen());
  await waitUntil(
    'all others applied',
    async () => (await appliedVersions(lab.schema.root)).size === 60 - deadLetters,
  );
  expect(second.health.alarms.active().has('circuit breaker')).toBe(false);
  expect(await readDeadLetters(lab)).toHaveLength(deadLetters);
});

it(
  'bounds how many events that cannot be processed are dead-lettered while most aggregates fail',
  { timeout: 60_000 },
  async () => {
    const { inbox } = await lab.start(thingLogHandler(), {
      settings: { ...settings, rereadForMs: 100 },
    });
    const { decoder } = inbox;
    const toMessage: typeof decoder.toMessage = (delivery) => {
      if (delivery.identity.aggregateId.startsWith('bad')) throw new TypeError('planted');
      return decoder.toMessage(delivery);
    };
    Object.assign(inbox, { decoder: { ...decoder, toMessage } });
    await lab.produce(things('good', 3));
    await lab.caughtUp();
    await lab.produce(things('bad', 30));
    await waitUntil('breaker open', () => inbox.breaker.isOpen(), { timeoutMs: 50_000 });
    const reasons = (await lab.rows<{ reason: string }>('SELECT reason FROM dead_letter')).map(
      ({ reason }) => reason,
    );
    expect(new Set(reasons)).toEqual(new Set(['unprocessable']));
    // The other partitions decide at the same moment.
    expect(reasons.length).toBeLessThanOrEqual(
      settings.breakerDeadLetters + lab.consumer.source.partitions - 1,
    );
    Object.assign(inbox, { decoder });
    await waitUntil(
      'all others applied',
      async () => (await appliedVersions(lab.schema.root)).size === 33 - reasons.length,
    );
  },
);

it('stays closed when many events die but most aggregates are well', async () => {
  const { inbox } = await lab.start(
    thingLogHandler({
      sabotage: ({ aggregateId }) => {
        if (aggregateId.startsWith('bad')) throw new Error('planted');
      },
    }),
    { settings },
  );
  await lab.produce([...things('good', 40), ...things('bad', 20)]);
  await waitUntil('all bad ones dead', async () => (await readDeadLetters(lab)).length === 20);
  expect(inbox.breaker.isOpen()).toBe(false);
  expect((await appliedVersions(lab.schema.root)).size).toBe(40);
});

it('tries the next event when the first of a tier can never succeed, and does not wait for a probe that a wrong clock has timed', async () => {
  let broken = true;
  const { inbox } = await lab.start(
    thingLogHandler({
      sabotage: ({ aggregateId }) => {
        if (broken || aggregateId === 'a0') throw new Error('planted');
      },
    }),
    { settings: { ...settings, breakerProbeEveryMs: 200 } },
  );
  await lab.produce(things('a', 30).map((record) => ({ ...record, partition: 0 })));
  await waitUntil('breaker open', () => inbox.breaker.isOpen());
  // As by an instance, or a database, whose clock was an hour fast: that hour must not be waited
  // for.
  await lab.rows('UPDATE flood_guard SET probe_at = probe_at + 3600000');
  broken = false;
  await waitUntil('breaker closed', () => !inbox.breaker.isOpen());
  const deadLetters = (await readDeadLetters(lab)).length;
  await waitUntil(
    'all others applied',
    async () => (await appliedVersions(lab.schema.root)).size >= 29 - deadLetters,
  );
});

import { headerNames } from '@board/contracts';
import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import type { Handler } from '../src/handler.ts';
import { openInboxLab, readDeadLetters, type InboxLab } from './support/inbox-lab.ts';
import type { ThingChanged } from './support/thing-codec.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterEach(() => lab.reset());
afterAll(() => lab.close());

const settings = { maxWaitMs: 300, retryBaseMs: 50 };
const inPartition0 = (...names: readonly string[]) =>
  names.map((name) => ({ ...lab.thing(name, 1), partition: 0 }));
const renamed = (name: string) => ({
  ...lab.thing(name, 1, { headers: { [headerNames.eventType]: 'ThingRenamed' } }),
  partition: 0,
});
const applied = async () => new Set((await appliedVersions(lab.schema.root)).keys());

it('waits without an attempt while a column is missing, says which, and goes on once it is there', async () => {
  const attempts: number[] = [];
  const handler = thingLogHandler({
    batch: true,
    sabotage: ({ attempt }) => void attempts.push(attempt),
  });
  const { health, inbox, failure } = await lab.start(handler, { retryTiers: 1, settings });
  await lab.produce([lab.thing('before', 1)]);
  await waitUntil('applied', async () => (await applied()).has('before'));
  await lab.rows('ALTER TABLE thing_log RENAME COLUMN event_id TO id_of_event');
  const names = Array.from({ length: 20 }, (_, n) => `during${n}`);
  await lab.produce(names.flatMap((name) => [lab.thing(name, 1), lab.thing(name, 2)]));
  const waits = () => [...health.alarms.active()].filter(([key]) => key.startsWith('waiting'));
  const [[, alarm] = ['', undefined]] = await waitUntil(
    'the alarm',
    () => waits().length > 0 && waits(),
  );
  expect(alarm?.reason).toMatch(/other columns.*ThingChanged: Unknown column 'event_id'/);
  const tried = attempts.length;
  await waitUntil('tried again and again', () => attempts.length > tried + 80);
  expect(await lab.rows('SELECT * FROM thing_log')).toHaveLength(1);

  await lab.rows('ALTER TABLE thing_log RENAME COLUMN id_of_event TO event_id');
  await waitUntil('all applied', async () => (await applied()).size === 21);
  await lab.caughtUp();
  expect((await appliedVersions(lab.schema.root)).get('during0')).toEqual([1, 2]);
  expect(new Set(attempts)).toEqual(new Set([1]));
  expect(await readDeadLetters(lab)).toEqual([]);
  expect(inbox.breaker.isOpen()).toBe(false);
  expect(failure()).toBeUndefined();
});

/** Needs a table for events of one type that is not there. */
function needsTable(
  plain: Handler<ThingChanged>,
  fails: (type: string, aggregateId: string) => boolean,
): Handler<ThingChanged> {
  return {
    ...plain,
    async handle(message, tx, signal) {
      if (fails(message.event.type, message.aggregateId))
        await tx.query('INSERT INTO names VALUES (1)');
      await plain.handle(message, tx, signal);
    },
  };
}

it('routes the one event that needs what is missing while others of its type are applied', async () => {
  const handler = needsTable(thingLogHandler(), (_, aggregateId) => aggregateId === 'odd');
  await lab.start(handler, { retryTiers: 1, settings });
  await lab.produce(inPartition0('a', 'odd', 'b'));
  await waitUntil('its dead letter', async () => (await readDeadLetters(lab)).length === 1);
  await lab.caughtUp();
  expect(await applied()).toEqual(new Set(['a', 'b']));
  const [deadLetter] = await readDeadLetters(lab);
  expect(deadLetter?.headers).toMatchObject({
    aggregateId: 'odd',
    'inbox-reason': 'attempts-exhausted',
  });
});

it('gives up on one event after each wait while only other types are applied, and holds the others of its type', async () => {
  const handler = needsTable(thingLogHandler(), (type) => type === 'ThingRenamed');
  const before = await committedInPartition0();
  await lab.start(handler, { retryTiers: 1, settings: { ...settings, schemaPatienceMs: 3_000 } });
  await lab.produce([
    ...inPartition0('a'),
    renamed('first'),
    renamed('second'),
    ...inPartition0('b'),
  ]);
  // What stands behind them is applied, but their offsets wait.
  await waitUntil('the others applied', async () => (await applied()).size === 2);
  expect(await readDeadLetters(lab)).toEqual([]);
  const deadLetters = () =>
    lab.rows<{ aggregateid: string }>('SELECT aggregateid, copies FROM dead_letter');
  await waitUntil('the first is given up', async () => (await deadLetters()).length > 0);
  expect(await deadLetters()).toEqual([{ aggregateid: 'first', copies: 1 }]);
  // What stands before the one that waits is read no more.
  await waitUntil(
    'its offset is committed',
    async () => (await committedInPartition0()) >= before + 2,
  );
  await lab.rows('CREATE TABLE names (id INT)');
  await waitUntil('the second applied', async () => (await applied()).has('second'));
  await lab.caughtUp();
  expect(await deadLetters()).toEqual([{ aggregateid: 'first', copies: 1 }]);
});

/** 0 before the first commit. */
async function committedInPartition0(): Promise<number> {
  const admin = lab.kafka.admin();
  await admin.connect();
  try {
    const [topic] = await admin.fetchOffsets({ groupId: lab.group, topics: [lab.topic] });
    return Math.max(0, Number(topic?.partitions.find(({ partition }) => partition === 0)?.offset));
  } finally {
    await admin.disconnect();
  }
}

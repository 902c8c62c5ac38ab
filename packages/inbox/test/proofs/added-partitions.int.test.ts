import { groupTopics } from '@board/contracts';
import { waitUntil } from '@board/test';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createTopics } from '../../../../provision/topics.ts';
import { openInboxLab, type InboxLab } from '../support/inbox-lab.ts';
import { testTopic, type ThingRecord } from '../support/thing-codec.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

// Kafka chooses the partition by the key and the number of partitions: where there are more, most
// keys move to another one, and an aggregate's next event may be read before the ones that lie in
// the old partition.
const before = 3;
const after = 7;
const ids = Array.from({ length: 40 }, (_, index) => `thing-${index}`);

async function openLab(): Promise<InboxLab> {
  const lab = await openInboxLab(inject('stack'));
  onTestFinished(() => lab.close());
  return lab;
}

/**
 * Like the connector: one producer, one record after the other, which learns of new partitions
 * while it runs.
 */
async function openWriter(lab: InboxLab) {
  const producer = lab.kafka.producer({ allowAutoTopicCreation: false, metadataMaxAge: 100 });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const versions = new Map<string, number>();

  return {
    /** The next event of every aggregate. */
    async write(): Promise<void> {
      const messages: ThingRecord[] = ids.map((id) => {
        versions.set(id, (versions.get(id) ?? 0) + 1);
        return lab.thing(id, versions.get(id) ?? 0);
      });
      await producer.send({ topic: lab.topic, acks: -1, messages });
    },
    last: () => versions.get('thing-0') ?? 0,
  };
}

const sourceOf = (lab: InboxLab, partitions: number) => ({ ...testTopic(lab.topic), partitions });
const routesOf = (lab: InboxLab, partitions: number) =>
  groupTopics({ ...lab.consumer, source: sourceOf(lab, partitions) });

/** The recipe of docs/scaling.md: what the group owns first. */
async function addPartitions(lab: InboxLab): Promise<void> {
  await createTopics(lab.stack.brokers, [...routesOf(lab, after), sourceOf(lab, after)]);
}

async function recordsInNewPartitions(lab: InboxLab): Promise<number> {
  const admin = lab.kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(lab.topic);
  await admin.disconnect();
  return offsets
    .filter(({ partition }) => partition >= before)
    .reduce((sum, { high }) => sum + Number(high), 0);
}

async function parkedRows(lab: InboxLab): Promise<number> {
  const [row] = await lab.rows<{ n: number }>('SELECT COUNT(*) AS n FROM parked');
  return Number(row?.n);
}

/** Every aggregate's versions, once each and in order, and nothing left behind. */
async function expectAllApplied(lab: InboxLab, last: number): Promise<void> {
  const wanted = ids.length * last;
  await waitUntil(`${wanted} effects`, async () => {
    const [row] = await lab.rows<{ n: number }>('SELECT COUNT(*) AS n FROM thing_log');
    return Number(row?.n) >= wanted;
  });
  const versions = Array.from({ length: last }, (_, index) => index + 1);
  expect(await appliedVersions(lab.schema.root)).toEqual(new Map(ids.map((id) => [id, versions])));
  await lab.caughtUp();
  expect(await parkedRows(lab)).toBe(0);
}

it('loses nothing, keeps the order and doubles no effect when partitions are added under two running consumers', async () => {
  const lab = await openLab();
  const writer = await openWriter(lab);
  // Every fifth event fails once: retries are on their way while the partitions change.
  const handler = thingLogHandler({
    sabotage: ({ version, attempt }) => {
      if (version % 5 === 0 && attempt === 1) throw new Error('planted');
    },
  });
  await lab.start(handler, { settings: { findPartitionsEveryMs: 500 } });
  await lab.start(handler, { settings: { findPartitionsEveryMs: 500 } });

  for (let round = 0; round < 12; round += 1) await writer.write();
  await addPartitions(lab);
  await waitUntil('the writer has found the new partitions', async () => {
    await writer.write();
    return (await recordsInNewPartitions(lab)) > 0;
  });
  for (let round = 0; round < 12; round += 1) await writer.write();

  await expectAllApplied(lab, writer.last());
});

it('parks what a new partition delivers before the old one is through', async () => {
  const lab = await openLab();
  const writer = await openWriter(lab);
  for (let round = 0; round < 3; round += 1) await writer.write();
  await addPartitions(lab);
  await waitUntil('the writer has found the new partitions', async () => {
    await writer.write();
    return (await recordsInNewPartitions(lab)) > 0;
  });

  // The first event of each fails once and comes back after seconds: until then everything else of
  // it is early.
  const handler = thingLogHandler({
    sabotage: ({ version, attempt }) => {
      if (version === 1 && attempt === 1) throw new Error('planted');
    },
  });
  await lab.start(handler, { settings: { retryBaseMs: 4_000 } });
  await waitUntil('everything but the first events parked', async () => {
    return (await parkedRows(lab)) === ids.length * (writer.last() - 1);
  });
  const moved = await lab.rows(
    'SELECT aggregateid FROM parked GROUP BY aggregateid HAVING COUNT(DISTINCT kafka_partition) > 1',
  );
  expect(moved.length).toBeGreaterThan(0);

  await expectAllApplied(lab, writer.last());
});

it('waits, and loses nothing, while the retry topics have fewer partitions than the source', async () => {
  const lab = await openLab();
  const writer = await openWriter(lab);
  const handler = thingLogHandler({
    sabotage: ({ attempt }) => {
      if (attempt === 1) throw new Error('planted');
    },
  });
  const { health } = await lab.start(handler, {
    settings: { findPartitionsEveryMs: 500, maxWaitMs: 500 },
  });
  await writer.write();
  await createTopics(lab.stack.brokers, [sourceOf(lab, after)]);
  await waitUntil('the writer has found the new partitions', async () => {
    await writer.write();
    return (await recordsInNewPartitions(lab)) > 0;
  });
  const reasons = (): string =>
    [...health.alarms.active().values()].map(({ reason }) => reason).join('\n');
  // What is first in a new partition makes it wait; what was parked before its turn came is left to
  // the sweep.
  await waitUntil('an alarm names the topic', () =>
    /could not publish to \S+\.retry\.1/.test(reasons()),
  );

  await createTopics(lab.stack.brokers, routesOf(lab, after));
  await expectAllApplied(lab, writer.last());
  await waitUntil('no alarm is left', () => !/could not publish/.test(reasons()));
});

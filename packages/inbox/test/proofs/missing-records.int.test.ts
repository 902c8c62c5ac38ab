import { waitUntil } from '@board/test';
import type { Admin } from 'kafkajs';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { openInboxLab, type InboxLab, type RunningInbox } from '../support/inbox-lab.ts';
import { testTopic } from '../support/thing-codec.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

let lab: InboxLab;
let admin: Admin;
beforeEach(async () => {
  lab = await openInboxLab(inject('stack'));
  admin = lab.kafka.admin();
  await admin.connect();
});
afterEach(async () => {
  await admin.disconnect();
  await lab.close();
});

const inPartition0 = <R extends object>(record: R): R & { partition: number } => ({
  ...record,
  partition: 0,
});
const things = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => inPartition0(lab.thing(`${prefix}${n}`, 1)));

/** The partitions are compared every second. */
const often = { settings: { maxStallMs: 4_000 } };

const alarm = ({ health }: RunningInbox): string =>
  health.alarms.active().get('records missing')?.reason ?? '';

/** Applies five events, remembers where it stands, and stops. */
async function applyFive(): Promise<void> {
  const first = await lab.start(thingLogHandler({ batch: true }), often);
  await lab.produce(things('first', 5));
  await lab.caughtUp();
  await waitUntil('the position', async () => {
    const [row] = await lab.rows<{ next_offset: number }>(
      'SELECT next_offset FROM read_position WHERE topic = ? AND kafka_partition = 0',
      [lab.topic],
    );
    return Number(row?.next_offset) === 5;
  });
  expect(alarm(first)).toBe('');
  await first.stop();
}

it('names the records that were deleted before they were read', { timeout: 90_000 }, async () => {
  await applyFive();
  await lab.produce(things('second', 5));
  await admin.fetchTopicOffsets(lab.topic);
  await admin.deleteTopicRecords({ topic: lab.topic, partitions: [{ partition: 0, offset: '8' }] });
  const second = await lab.start(thingLogHandler({ batch: true }), often);
  await waitUntil('the alarm', () =>
    alarm(second).includes(`records 5 to 7 of ${lab.topic}/0 were deleted before`),
  );
  // What is left is applied all the same.
  await waitUntil('the rest', async () => (await appliedVersions(lab.schema.root)).has('second4'));
  expect(
    [...(await appliedVersions(lab.schema.root)).keys()].filter((id) => id.startsWith('second')),
  ).toEqual(['second3', 'second4']);
});

it(
  'says nothing of records that were deleted after they were read',
  { timeout: 90_000 },
  async () => {
    await applyFive();
    await admin.fetchTopicOffsets(lab.topic);
    await admin.deleteTopicRecords({
      topic: lab.topic,
      partitions: [{ partition: 0, offset: '5' }],
    });
    const second = await lab.start(thingLogHandler({ batch: true }), often);
    await lab.produce(things('second', 5));
    await lab.caughtUp();
    await waitUntil('the position', async () => {
      const [row] = await lab.rows<{ next_offset: number }>(
        'SELECT next_offset FROM read_position WHERE topic = ? AND kafka_partition = 0',
        [lab.topic],
      );
      return Number(row?.next_offset) === 10;
    });
    expect(await lab.rows('SELECT * FROM missing_range')).toEqual([]);
    expect(alarm(second)).toBe('');
  },
);

it('notices that the topic was deleted and made again', { timeout: 120_000 }, async () => {
  await applyFive();
  await admin.deleteTopics({ topics: [lab.topic] });
  const { partitions, replicationFactor, config } = testTopic(lab.topic);
  await waitUntil('the new topic', () =>
    admin.createTopics({
      topics: [
        {
          topic: lab.topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        },
      ],
      waitForLeaders: false,
    }),
  );
  await waitUntil('its leaders', () => admin.fetchTopicOffsets(lab.topic));
  await lab.produce(things('second', 2));
  const second = await lab.start(thingLogHandler({ batch: true }), often);
  await waitUntil(
    'the alarm',
    () => alarm(second).includes(`${lab.topic}/0 ends at 2 and ended at 5`),
    {
      timeoutMs: 60_000,
    },
  );
  await waitUntil('the new records', async () =>
    (await appliedVersions(lab.schema.root)).has('second1'),
  );
});

it(
  'finds a loss once, and not again after an audit has cleared it',
  { timeout: 120_000 },
  async () => {
    const first = await lab.start(thingLogHandler({ batch: true }), often);
    const inPartition = (partition: number, prefix: string) =>
      Array.from({ length: 5 }, (_, n) => ({ ...lab.thing(`${prefix}${n}`, 1), partition }));
    await lab.produce([...inPartition(0, 'zero'), ...inPartition(1, 'one')]);
    await lab.caughtUp();
    const next = async (partition: number): Promise<number> => {
      const [row] = await lab.rows<{ next_offset: number }>(
        'SELECT next_offset FROM read_position WHERE topic = ? AND kafka_partition = ?',
        [lab.topic, partition],
      );
      return row?.next_offset ?? -1;
    };
    await waitUntil('the positions', async () => (await next(0)) === 5 && (await next(1)) === 5);
    await first.stop();

    // The deleted record is the last of its partition: none comes behind it with which the consumer
    // could read on.
    await lab.produce([{ ...lab.thing('foreign', 1, { headers: {} }), partition: 0 }]);
    await admin.fetchTopicOffsets(lab.topic);
    await admin.deleteTopicRecords({
      topic: lab.topic,
      partitions: [{ partition: 0, offset: '-1' }],
    });
    // As if the records of the second partition were another topic's, much newer than those that
    // were read.
    await lab.rows(
      'UPDATE read_position SET newest_timestamp = 1 WHERE topic = ? AND kafka_partition = 1',
      [lab.topic],
    );

    const open = () =>
      lab.rows<{ kafka_partition: number; from_offset: number; to_offset: number }>(
        'SELECT kafka_partition, from_offset, to_offset FROM missing_range WHERE cleared_at IS NULL ORDER BY 1',
      );
    /** A position of the third partition is stored at the end of a comparison of all three. */
    const comparisons = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 1) {
        const before = await next(2);
        await lab.produce([{ ...lab.thing(`two${before}`, 1), partition: 2 }]);
        await waitUntil('a comparison', async () => (await next(2)) === before + 1);
      }
    };
    const second = await lab.start(thingLogHandler({ batch: true }), often);
    await waitUntil('both losses', async () => (await open()).length === 2);
    expect(await open()).toEqual([
      { kafka_partition: 0, from_offset: 5, to_offset: 5 },
      { kafka_partition: 1, from_offset: 0, to_offset: 4 },
    ]);
    await waitUntil('the alarm', () => alarm(second) !== '');
    await lab.rows('UPDATE missing_range SET cleared_at = found_at');
    await comparisons(3);
    expect(await open()).toEqual([]);
    await waitUntil('no alarm', () => alarm(second) === '');
    await second.stop();

    // A process that starts right after the audit, and one that takes over its partitions, know no
    // more than what is stored.
    await lab.start(thingLogHandler({ batch: true }), often);
    await comparisons(3);
    expect(await open()).toEqual([]);
  },
);

import { randomUUIDv7 } from 'node:crypto';
import { retryTopicName } from '@board/contracts';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openInboxLab, type InboxLab } from './support/inbox-lab.ts';
import { commitOffset } from './support/commit-offset.ts';
import { findUnreceived, type CommittedEvent } from '../src/audit/find-unreceived.ts';

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterAll(() => lab.close());

const eventOf = (
  version: number,
  id = randomUUIDv7(),
  aggregateId = randomUUIDv7(),
): CommittedEvent => ({
  id,
  aggregateType: 'thing',
  aggregateId,
  version,
});

const search = async (
  events: readonly CommittedEvent[],
  {
    group = lab.group,
    maxUnread = 1_000,
    onQuery = (_sql: string): Promise<unknown> => Promise.resolve(),
  } = {},
) =>
  findUnreceived(
    {
      kafka: lab.kafka,
      // Every retry topic of the group that there is.
      consumers: [{ ...lab.consumer, group, retryTiers: 0, database: lab.schema.name }],
      async query<Row>(sql: string, values: readonly unknown[]) {
        const rows = await lab.rows<Row>(sql, [...values]);
        await onQuery(sql);
        return rows;
      },
      readerPrefix: 'test-reader.',
      maxUnread,
    },
    events,
  );

const markAt = (event: CommittedEvent, version: number, eventId = event.id) =>
  lab.rows('INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ?', [
    [[lab.group, 'thing', event.aggregateId, version, eventId]],
  ]);

const park = (event: CommittedEvent, eventId = event.id) =>
  lab.rows(
    `INSERT INTO parked (consumer, aggregatetype, aggregateid, version, event_id, kind, attempt, replayed, topic,
       kafka_partition, kafka_offset, appended_at, headers, bytes, parked_at) VALUES ?`,
    [
      [
        [
          lab.group,
          'thing',
          event.aggregateId,
          event.version,
          eventId,
          'event',
          1,
          0,
          lab.topic,
          0,
          0,
          0,
          '',
          0,
          0,
        ],
      ],
    ],
  );

const bury = (event: CommittedEvent) =>
  lab.rows(
    `INSERT INTO dead_letter (consumer, letter, aggregatetype, aggregateid, version, event_id, reason, attempts,
       error_class, error_message, topic, kafka_partition, kafka_offset, dlq_partition, dlq_offset, copies,
       first_failed_at, last_failed_at) VALUES ?`,
    [
      [
        [
          lab.group,
          event.id,
          'thing',
          event.aggregateId,
          event.version,
          event.id,
          'x',
          1,
          'E',
          '',
          lab.topic,
          0,
          0,
          0,
          0,
          1,
          0,
          0,
        ],
      ],
    ],
  );

const produce = (event: CommittedEvent, topic: string) =>
  lab.produce(
    [{ ...lab.thing(event.aggregateId, event.version, { eventId: event.id }), partition: 0 }],
    topic,
  );

it('finds what a consumer has: passed by its mark, parked, a dead letter; and what waits in its topics', async () => {
  const [passed, atMark, parked, dead, unread, inRetry] = [1, 2, 3, 4, 5, 6].map((version) =>
    eventOf(version),
  );
  if (!passed || !atMark || !parked || !dead || !unread || !inRetry) throw new Error('six events');
  await markAt(passed, 9, randomUUIDv7());
  await markAt(atMark, 2);
  await park(parked);
  await bury(dead);
  await produce(unread, lab.topic);
  await produce(inRetry, retryTopicName(lab.group, 2));
  expect(await search([passed, atMark, parked, dead, unread, inRetry])).toEqual({
    missing: [],
    undecided: [],
  });
});

it('misses an event that is in none of these places, and one in whose place another event stands', async () => {
  const [absent, ahead, replaced, parkedReplaced, lost] = [1, 2, 3, 4, 5].map((version) =>
    eventOf(version),
  );
  if (!absent || !ahead || !replaced || !parkedReplaced || !lost) throw new Error('five events');
  await markAt(ahead, 1);
  await markAt(replaced, 3, randomUUIDv7());
  await park(parkedReplaced, randomUUIDv7());
  // Passed over by hand as lost: of that version the mark knows no event.
  await markAt(lost, 5, '');
  const events = [absent, ahead, replaced, parkedReplaced, lost];
  expect(await search(events)).toEqual({
    missing: [absent, ahead, replaced, parkedReplaced],
    undecided: [],
  });
  // The tables of another consumer say nothing of this one.
  expect((await search(events, { group: 'another' })).missing).toEqual(events);
});

it('does not count records that the group has passed, and decides nothing when too many are unread', async () => {
  const [read, unread] = [eventOf(1), eventOf(1)];
  const admin = lab.kafka.admin();
  await admin.connect();
  await produce(read, lab.topic);
  const [end] = (await admin.fetchTopicOffsets(lab.topic)).filter(
    ({ partition }) => partition === 0,
  );
  await commitOffset(lab.kafka, lab.group, {
    topic: lab.topic,
    partition: 0,
    offset: end?.high ?? '',
  });
  await admin.disconnect();
  await produce(unread, lab.topic);
  expect(await search([read, unread])).toEqual({ missing: [read], undecided: [] });
  expect(await search([read, unread], { maxUnread: 0 })).toEqual({
    missing: [],
    undecided: [read, unread],
  });
});

it('does not miss an event that the consumer takes between the query of its tables and the reading of its topics', async () => {
  const event = eventOf(1);
  let queries = 0;
  const onQuery = async (sql: string): Promise<void> => {
    if (sql.includes('dead_letter') && (queries += 1) === 1) await markAt(event, 1);
  };
  expect(await search([event], { onQuery })).toEqual({ missing: [], undecided: [] });
});

it('queries by key: of 20,000 marks, parked events and dead letters it reads those of its events', async () => {
  const many = Array.from({ length: 20_000 }, () => eventOf(2));
  for (let from = 0; from < many.length; from += 5_000) {
    const rows = many
      .slice(from, from + 5_000)
      .map((event) => [lab.group, 'thing', event.aggregateId, 1, event.id]);
    await lab.rows(
      'INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ?',
      [rows],
    );
  }
  const touched = async (): Promise<number> => {
    const rows = await lab.rows<{ Variable_name: string; Value: string }>(
      "SHOW SESSION STATUS LIKE 'Handler_read%'",
    );
    return rows.reduce((sum, { Value: value }) => sum + Number(value), 0);
  };
  const before = await touched();
  const asked = many.slice(0, 500);
  expect((await search(asked)).missing).toEqual(asked);
  expect((await touched()) - before).toBeLessThan(20_000);
}, 60_000);

it('leaves an event undecided when no consumer reads its kind of aggregate', async () => {
  const event = { ...eventOf(1), aggregateType: 'unread' };
  expect(await search([event])).toEqual({ missing: [], undecided: [event] });
});

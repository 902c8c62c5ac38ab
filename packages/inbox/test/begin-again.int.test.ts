import { deadLetterTopicName, groupTopics } from '@board/contracts';
import { waitUntil } from '@board/test';
import { describe, expect, it } from 'vitest';
import { baseline, rebuild, type BaselineRow } from '../src/operator/begin-again.ts';
import { showDeadLetters } from '../src/operator/show-dead-letters.ts';
import { skipVersion } from '../src/operator/skip.ts';
import { findTopicGaps } from '../src/operator/topics.ts';
import { readDeadLetters } from './support/inbox-lab.ts';
import { collect, range, useOperatorLab } from './support/operator-lab.ts';

const at = useOperatorLab('test');
const { poison, start, list, replay, openDeadLetters, applied, appliedAll } = at;

describe('a version that was skipped by hand', () => {
  it('stays skipped when the offsets of both groups go back to the earliest', async () => {
    poison.add('bad/2');
    const first = await start();
    await at.lab.produce(range(3).map((version) => at.lab.thing('bad', version)));
    await openDeadLetters(1);
    await at.lab.caughtUp();
    // Skipped while nothing runs and with no follower that moves the mark on: its own id must be in
    // the mark.
    await first.stop();
    await at.lab.schema.root.query("DELETE FROM parked WHERE aggregateid = 'bad'");
    await skipVersion(at.operator, { aggregateId: 'bad', version: 2, reason: 'hopeless' });
    const admin = at.lab.kafka.admin();
    await admin.connect();
    await admin.deleteGroups([at.lab.group, `${at.lab.group}.retry`]);
    await admin.disconnect();
    await start();
    await at.lab.produce([at.lab.thing('bad', 4)]);
    await appliedAll('bad', range(4));
    await at.lab.caughtUp();
    expect((await applied()).get('bad')).toEqual([1, 3, 4]);
    expect(await list()).toEqual([]);
    expect(await readDeadLetters(at.lab)).toHaveLength(1);
  });
});

describe('baseline', () => {
  async function* rows(list_: readonly BaselineRow<string>[]): AsyncGenerator<BaselineRow<string>> {
    for (const row of list_) yield await Promise.resolve(row);
  }
  const seed = async (
    tx: { query(sql: string, values: unknown[]): Promise<unknown> },
    page: readonly BaselineRow<string>[],
  ) => {
    await tx.query('INSERT INTO thing_log (aggregateid, version, event_id) VALUES ?', [
      page.map(({ aggregateId, version, data }) => [aggregateId, version, data]),
    ]);
  };

  it('lets a consumer start behind events that the topic no longer has', async () => {
    const five = at.lab.thing('a', 5);
    const row = { aggregateId: 'a', version: 5, eventId: five.headers['id'] ?? '', data: 'seeded' };
    expect(await baseline(at.operator, rows([row]), seed)).toEqual({ outcome: 'seeded', marks: 1 });
    await start();
    await at.lab.produce([five, at.lab.thing('a', 6)]);
    await appliedAll('a', [6]);
    expect((await applied()).get('a')).toEqual([5, 6]);
    expect(await list()).toEqual([]);
  });

  it('changes nothing when the consumer starts while it seeds', async () => {
    const row = { aggregateId: 'a', version: 5, eventId: 'e', data: 'seeded' };
    const outcome = await baseline(at.operator, rows([row]), async (tx, page) => {
      await seed(tx, page);
      await start();
    });
    expect(outcome).toEqual({ outcome: 'has-started' });
    expect(await at.lab.rows('SELECT * FROM mark')).toEqual([]);
    expect(await applied()).toEqual(new Map());
  });

  it('refuses once there are marks or the group has started, and leaves nothing half-done', async () => {
    const row = { aggregateId: 'a', version: 5, eventId: 'e', data: 'seeded' };
    await expect(baseline(at.operator, rows([row, row]), seed)).rejects.toThrow(/Duplicate entry/);
    expect(await at.lab.rows('SELECT * FROM mark')).toEqual([]);
    expect(await applied()).toEqual(new Map());
    await baseline(at.operator, rows([row]), seed);
    expect(await baseline(at.operator, rows([row]), seed)).toEqual({ outcome: 'has-marks' });
    await start();
    expect(await baseline(at.operator, rows([row]), seed)).toEqual({ outcome: 'has-started' });
  });
});

describe('rebuild', () => {
  const deleteRows = async (tx: { query(sql: string): Promise<unknown> }): Promise<void> => {
    await tx.query('DELETE FROM thing_log');
  };

  it('applies everything from the earliest record again, once and in order', async () => {
    const first = await start();
    await at.lab.produce(
      range(10).flatMap((version) => ['a', 'b'].map((id) => at.lab.thing(id, version))),
    );
    await at.lab.produce([at.lab.thing('gap', 2)]);
    await at.lab.caughtUp();
    expect(await rebuild(at.operator, { sourceTopic: at.lab.topic, deleteRows })).toMatchObject({
      outcome: 'has-members',
    });
    expect((await applied()).size).toBe(2);
    await first.stop();
    expect(await rebuild(at.operator, { sourceTopic: at.lab.topic, deleteRows })).toEqual({
      outcome: 'emptied',
      marks: 3,
      parked: 1,
    });
    expect(await at.lab.rows('SELECT * FROM parked')).toEqual([]);
    expect(await applied()).toEqual(new Map());
    await start();
    await waitUntil('all again', async () => [...(await applied()).values()].flat().length === 20);
    expect(await applied()).toEqual(new Map(['a', 'b'].map((id) => [id, range(10)])));
    expect(await at.lab.rows('SELECT aggregateid FROM parked')).toEqual([{ aggregateid: 'gap' }]);
  });

  it('passes over again what was skipped before, although it would succeed now', async () => {
    poison.add('a/2');
    const first = await start();
    await at.lab.produce(range(4).map((version) => at.lab.thing('a', version)));
    await openDeadLetters(1);
    // Its replay is still in the retry topic when everything starts again.
    await replay({});
    await waitUntil('failed again', async () => (await list())[0]?.copies === 2);
    await skipVersion(at.operator, { aggregateId: 'a', version: 2, reason: 'hopeless' });
    await appliedAll('a', range(4));
    await at.lab.caughtUp();
    await first.stop();
    poison.clear();
    expect(await rebuild(at.operator, { sourceTopic: at.lab.topic, deleteRows })).toMatchObject({
      outcome: 'emptied',
    });
    await start();
    await appliedAll('a', range(4));
    await at.lab.caughtUp();
    expect((await applied()).get('a')).toEqual([1, 3, 4]);
    expect(await at.lab.rows('SELECT version, decided_by, reason FROM skipped')).toEqual([
      { version: 2, decided_by: 'hand', reason: 'hopeless' },
    ]);
    expect(await list()).toEqual([]);
  });

  it('refuses behind a topic that no longer holds what was applied, until that is accepted', async () => {
    const request = { sourceTopic: at.lab.topic, deleteRows };
    const first = await start();
    await at.lab.produce(
      range(6).map((version) => ({ ...at.lab.thing('a', version), partition: 1 })),
    );
    await appliedAll('a', range(6));
    await at.lab.caughtUp();
    await first.stop();
    const refused = async (gap: object): Promise<void> => {
      expect(await rebuild(at.operator, request)).toMatchObject({
        outcome: 'has-gaps',
        gaps: [gap],
      });
      expect((await applied()).get('a')).toEqual(range(6));
      expect(await at.lab.rows('SELECT version FROM mark')).toEqual([{ version: 6 }]);
    };

    // Marks that were seeded behind an older topic of the name.
    await at.lab.rows(`INSERT INTO mark VALUES (?, 'thing', 'b', 1, '')`, [at.lab.group]);
    expect((await findTopicGaps(at.operator, at.lab.topic)).gaps).toMatchObject([
      { kind: 'too-few', records: 6, applied: 7 },
    ]);
    await at.lab.rows(`DELETE FROM mark WHERE aggregateid = 'b'`);
    // A range that an audit has cleared.
    await at.lab.rows(
      `INSERT INTO missing_range VALUES (?, ?, 0, 3, 4, 'records 3 to 4 were deleted', 1, 2)`,
      [at.lab.group, at.lab.topic],
    );
    await refused({ kind: 'missing', reason: 'records 3 to 4 were deleted' });
    await at.lab.rows('DELETE FROM missing_range');
    // A topic that ends before what was read of it.
    await at.lab.rows('DELETE FROM read_position');
    await at.lab.rows('INSERT INTO read_position VALUES (?, ?, 1, 6, 9, 1)', [
      at.lab.group,
      at.lab.topic,
    ]);
    await refused({
      kind: 'missing',
      reason: expect.stringContaining(`${at.lab.topic}/1 ends at 6 and ended at 9`),
    });
    await at.lab.rows('UPDATE read_position SET end_offset = 6');

    const admin = at.lab.kafka.admin();
    await admin.connect();
    await admin.fetchTopicOffsets(at.lab.topic);
    await admin.deleteTopicRecords({
      topic: at.lab.topic,
      partitions: [{ partition: 1, offset: '2' }],
    });
    await admin.disconnect();
    // As many records as before: only where the partition begins shows it.
    await at.lab.produce([1, 2].map((version) => at.lab.thing('c', version)));
    await refused({ kind: 'begins-late', topic: at.lab.topic, partition: 1, low: 2 });
    expect(await rebuild(at.operator, { ...request, acceptGaps: true })).toMatchObject({
      outcome: 'emptied',
      marks: 1,
    });
    expect(await applied()).toEqual(new Map());
    // What is read from now on counts from there.
    expect(await at.lab.rows('SELECT next_offset FROM read_position')).toEqual([
      { next_offset: 2 },
    ]);
  });

  it('changes nothing when a process joins while it deletes', async () => {
    const first = await start();
    await at.lab.produce(range(3).map((version) => at.lab.thing('a', version)));
    await appliedAll('a', range(3));
    await at.lab.caughtUp();
    await first.stop();
    const outcome = await rebuild(at.operator, {
      sourceTopic: at.lab.topic,
      deleteRows: async (tx) => {
        await deleteRows(tx);
        await start();
      },
    });
    expect(outcome).toMatchObject({ outcome: 'has-members' });
    expect(await applied()).toEqual(new Map([['a', range(3)]]));
    expect(await at.lab.rows('SELECT version FROM mark')).toEqual([{ version: 3 }]);
  });
});

describe('a dead letter whose DLQ was made again', () => {
  it('is missing, and no other record is sent in its place', async () => {
    const running = await start();
    const inPartition0 = (id: string) => ({
      ...at.lab.thing(id, 1, { value: null, eventId: `event-of-${id}` }),
      partition: 0,
    });
    await at.lab.produce([inPartition0('old')]);
    await openDeadLetters(1);
    await running.stop();
    await makeAgain(deadLetterTopicName(at.lab.group));
    // Its offset lies behind the end of the new one, which is empty.
    expect(await replay({ ids: ['event-of-old'] })).toEqual(['old/1 missing']);
    await start();
    await at.lab.produce([inPartition0('new')]);
    await openDeadLetters(2);
    expect(await replay({ ids: ['event-of-old'] })).toEqual(['old/1 missing']);
    const both = { ids: ['event-of-old', 'event-of-new'] };
    expect((await replay(both)).toSorted()).toEqual(['new/1 replayed', 'old/1 missing']);
    const shown = await collect(
      showDeadLetters(at.operator, at.lab.stack.registryUrl, { ids: ['event-of-old'] }),
    );
    expect(shown.map(({ record }) => record)).toEqual([undefined]);
  });
});

/** Deletes a topic and makes it again, as empty as on its first day. */
async function makeAgain(name: string): Promise<void> {
  const definition = groupTopics(at.lab.consumer).find((topic) => topic.name === name);
  if (definition === undefined) throw new Error(`the group has no topic ${name}`);
  const admin = at.lab.kafka.admin();
  await admin.connect();
  try {
    await admin.deleteTopics({ topics: [name] });
    const { partitions: numPartitions, replicationFactor } = definition;
    const topics = [{ topic: name, numPartitions, replicationFactor }];
    // Refused while the old one is still being deleted.
    await waitUntil('the topic is made', () => admin.createTopics({ topics }));
    await waitUntil('every partition has a leader and is empty', async () =>
      (await admin.fetchTopicOffsets(name)).every(({ high }) => high === '0'),
    );
  } finally {
    await admin.disconnect();
  }
}

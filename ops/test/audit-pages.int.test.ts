import { openSession } from '@board/mysql';
import { costlier, measureQuery } from '@board/mysql/testing';
import { outboxStatus, purgeOutbox, type PurgeSession } from '@board/outbox';
import { expect, inject, onTestFinished, test } from 'vitest';
import { consumerSide, sourceSide } from '../commands/audit/read-sides.ts';
import { comparedContents } from '../commands/consumer/consumers.ts';
import type { RunSql } from '../cli/run-sql.ts';
import { boardId, openBoardPair } from './support/open-board-pair.ts';
import { allReceived } from '@board/outbox/testing';

const rows = 10_000;
const page = 500;

test('a page of audit or purge costs a page, and outbox status counts by an index', async () => {
  const { source, consumer, fill, close } = await openBoardPair(inject('stack'), 'group');
  onTestFinished(close);
  await fill(rows);
  const from = `FROM ${source.name}.board`;
  await consumer.root.query(
    `INSERT INTO parked SELECT 'group', 'board', id, version + 2, id, 'event', 1, NULL, 0,
      'topic', 0, 0, 0, NULL, NULL, '[]', 10, 1 ${from}`,
  );
  await consumer.root.query(
    `INSERT INTO dead_letter (consumer, letter, aggregatetype, aggregateid, version, event_id,
      reason, attempts, error_class,
       error_message, topic, kafka_partition, kafka_offset, dlq_partition, dlq_offset, copies,
         first_failed_at, last_failed_at)
     SELECT 'group', id, 'board', id, version + 1, id, 'attempts-exhausted', 4, 'Error', 'no',
       'topic', 0, 0, 0, 0, 1, 1, 1 ${from}`,
  );
  // On a busy server InnoDB takes a while to see that a table is not empty any more.
  await consumer.root.query(
    `ANALYZE TABLE mark, catalog, parked, dead_letter, ${source.name}.board, ${source.name}.outbox`,
  );

  const session = await openSession(source.connection);
  onTestFinished(() => session.close());
  const { query, costs } = measureQuery((sql, values) => session.query(sql, values));
  const sql = query as unknown as RunSql;
  const after = boardId(rows / 2);
  const of = { aggregateType: 'board', table: 'board', group: 'group' };
  for (const side of [
    sourceSide(sql, { ...of, schema: source.name }, comparedContents['catalog']),
    consumerSide(sql, { ...of, schema: consumer.name }, comparedContents['catalog']),
    consumerSide(sql, { ...of, schema: consumer.name }, undefined),
  ]) {
    const upTo = await side.boundary(after, page);
    expect(upTo).toBe(boardId(rows / 2 + page));
    expect((await side.digest({ after, upTo })).count).toBe(page);
    const listed = await side.list({ after, upTo });
    expect(listed).toHaveLength(page);
    expect(await side.find(listed.slice(0, 100).map(({ id }) => id))).toHaveLength(100);
  }
  // For each board: mark, entry, parked rows, skips, dead letters, and temporary tables.
  expect(costlier(costs, page * 12)).toEqual([]);

  costs.splice(0);
  const measured: PurgeSession = {
    query: sql,
    change: () => Promise.reject(new Error('a dry run deletes nothing')),
  };
  await outboxStatus(measured);
  expect(costlier(costs, rows * 1.1)).toEqual([]);
  costs.splice(0);
  const purged = await purgeOutbox({
    session: measured,
    findUnreceived: allReceived,
    awaitShipped: () => Promise.resolve({ kind: 'passed' }),
    retentionMs: 3_600_000,
    signal: new AbortController().signal,
    dryRun: true,
  });
  expect(purged).toMatchObject({ kind: 'done', rows });
  expect(costs.length).toBeGreaterThanOrEqual(rows / 1_000);
  expect(costlier(costs, 1_100)).toEqual([]);
});

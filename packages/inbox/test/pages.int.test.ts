import { costlier, measureReads, type StatementCost } from '@board/mysql/testing';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { sweep } from '../src/apply/drain.ts';
import type { Inbox } from '../src/inbox.ts';
import { dismissDeadLetter } from '../src/operator/give-up.ts';
import { inboxStatus } from '../src/operator/status.ts';
import type { DeadLetterFilter } from '../src/operator/dead-letter-index.ts';
import { listDeadLetters } from '../src/operator/list-dead-letters.ts';
import type { Operator } from '../src/operator/operator.ts';
import { pagesByPosition } from '../src/operator/list-dead-letters.ts';
import { showDeadLetters } from '../src/operator/show-dead-letters.ts';
import { skipVersion } from '../src/operator/skip.ts';
import { createMysqlStore } from '../src/store/mysql-store.ts';
import { firstPlace, type ConsumerKey, type InboxStore } from '../src/store/store.ts';
import { openInboxLab, type InboxLab } from './support/inbox-lab.ts';

const deadLetters = 100_000;
const waiting = 20_000;
const partitions = 3;

/**
 * Rows that a statement may touch for a page of 1,000: each, what is joined to it, a temporary
 * table.
 */
const maxForPage = 8_000;

let lab: InboxLab;
let dataSource: DataSource;
let costs: StatementCost[];
let consumer: ConsumerKey;
let operator: Operator;
let store: InboxStore;

const board = "CONCAT('board-', LPAD(n, 6, '0'))";

beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
  consumer = { group: lab.group, aggregateType: 'thing' };
  const { root } = lab.schema;
  await root.query('SET SESSION cte_max_recursion_depth = ?', [deadLetters]);
  await root.query('CREATE TABLE number (n INT UNSIGNED PRIMARY KEY)');
  await root.query(
    'INSERT INTO number WITH RECURSIVE c AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM c WHERE n < ? - 1) SELECT n FROM c',
    [deadLetters],
  );
  const fill = (sql: string, ...values: unknown[]) => root.query(sql, [lab.group, ...values]);
  await fill(
    `INSERT INTO mark SELECT ?, 'thing', ${board}, 0, '' FROM number WHERE n < ?`,
    waiting,
  );
  await fill(`INSERT INTO mark VALUES (?, 'thing', 'long', 1, '')`);
  // A tenth is closed, a hundredth has another reason.
  await fill(
    `INSERT INTO dead_letter (consumer, letter, aggregatetype, aggregateid, version, event_id, reason, attempts, error_class,
       error_message, topic, kafka_partition, kafka_offset, dlq_partition, dlq_offset, copies, first_failed_at, last_failed_at, closed_at, closed_by)
     SELECT ?, CONCAT('dead-letter-', LPAD(n, 6, '0')), 'thing', ${board}, 1, CONCAT('event-', n),
       IF(n MOD 100 = 1, 'invalid-event', 'attempts-exhausted'), 4, 'Error', 'no', 'topic', 0, n, n MOD ${partitions},
       n DIV ${partitions}, 1, 1000 + n, 1000 + n, IF(n MOD 10 = 0, 1, NULL), IF(n MOD 10 = 0, 'dismissed', NULL) FROM number`,
  );
  const parked =
    "'event', 1, NULL, 0, 'topic', 0, n, 0, NULL, NULL, '[]', 10, 1000 + n FROM number WHERE n < ?";
  await fill(
    `INSERT INTO parked SELECT ?, 'thing', ${board}, 2, CONCAT('event-', n), ${parked}`,
    waiting,
  );
  await fill(
    `INSERT INTO parked SELECT ?, 'thing', 'long', n + 2, CONCAT('event-', n), ${parked}`,
    waiting,
  );
  await fill(
    `INSERT INTO skipped SELECT ?, 'thing', ${board}, 1, '', 'policy', '', 1 FROM number WHERE n < 1000`,
  );
  await root.query('ANALYZE TABLE mark, dead_letter, parked, skipped');
  // One connection: the counters are the connection's.
  dataSource = await lab.openDataSource({ poolSize: 1 });
  costs = measureReads(dataSource);
  operator = { consumer, dataSource, kafka: lab.kafka, now: Date.now };
  store = createMysqlStore({ consumer, dataSource, nowMs: () => 1 });
}, 120_000);
afterAll(() => lab.close());
beforeEach(() => void costs.splice(0));

/** How many there are, but not more than a few pages of them. */
async function count(list: AsyncIterable<unknown>, atMost = 2_000): Promise<number> {
  let seen = 0;
  for await (const one of list) {
    seen += Array.isArray(one) ? one.length : 1;
    if (seen >= atMost) break;
  }
  return seen;
}

/** Beside each filter: how many fit, a few pages at most. */
const filters: [string, DeadLetterFilter, number][] = [
  ['open dead letters', {}, 2_000],
  ['closed dead letters', { state: 'closed' }, 2_000],
  ['dead letters of either state', { state: 'all' }, 2_000],
  ['dead letters of a rare reason', { reason: 'invalid-event' }, 1_000],
  ['the latest dead letters', { sinceMs: 1_000 + deadLetters - 100 }, 90],
  ['dead letters of one aggregate', { aggregateId: 'board-000501' }, 1],
  ['named dead letters', { ids: ['dead-letter-000501', 'dead-letter-000010'], state: 'all' }, 2],
];

it.each(filters)('a page of the list of %s costs a page', async (_name, filter, fit) => {
  expect(await count(listDeadLetters(operator, filter))).toBe(fit);
  expect(costlier(costs, maxForPage)).toEqual([]);
});

it.each(filters.filter(([, { reason, sinceMs }]) => !reason && !sinceMs))(
  'a page of %s in the order of the DLQ costs a page',
  async (_name, filter, fit) => {
    expect(await count(pagesByPosition(operator, filter, 500))).toBe(fit);
    expect(costlier(costs, maxForPage)).toEqual([]);
  },
);

it('closing one dead letter, and dismissing or skipping one, does not read the others', async () => {
  await store.transaction(async ({ deadLetters }) => {
    await deadLetters.closeOf({ id: 'dead-letter-060001' });
    await deadLetters.closeOf({ aggregateId: 'board-060001' });
  });
  await dismissDeadLetter(operator, {
    id: 'dead-letter-060002',
    reason: 'test',
    neverExisted: true,
  });
  const skipped = await skipVersion(operator, {
    aggregateId: 'board-060003',
    version: 1,
    reason: 'test',
  });
  expect(skipped.outcome).toBe('skipped');
  expect(costs.length).toBeGreaterThan(6);
  expect(costlier(costs, 100)).toEqual([]);
});

it('a check of dead letters that marks may have passed costs a page, and the pages end', async () => {
  let pages = 0;
  await store.transaction(async ({ deadLetters }) => {
    for (let after: typeof firstPlace | undefined = firstPlace; after !== undefined; pages += 1)
      after = await deadLetters.closePage(after);
  });
  expect(pages).toBe(90);
  expect(costlier(costs, maxForPage)).toEqual([]);
});

it('counts touch an index entry for each of what they count, and no row', async () => {
  await store.transaction(async ({ deadLetters: index, parked, breaker }) => {
    const open = await index.countOpen();
    expect([...open.keys()]).toEqual(['attempts-exhausted', 'invalid-event']);
    await parked.size();
    await breaker.countDeadLetters(Date.now() - (1_000 + deadLetters - 2_000));
  });
  const [openReads, parkedReads, spentReads] = costs
    .filter(({ sql }) => sql.includes('COUNT(*)'))
    .map(({ rowsRead }) => rowsRead);
  expect(openReads).toBeLessThan(deadLetters);
  // There are twice `waiting`. A scan looks again at a few entries whose page has changed
  // meanwhile; a row for each entry would make it four times.
  expect(parkedReads).toBeLessThan(2.2 * waiting);
  expect(spentReads).toBeLessThan(2_000);
});

it('a round of the sweep costs a round, however many aggregates wait and however much of one', async () => {
  const inbox = { store } as Inbox;
  const seen: string[] = [];
  const isLeftOver = (id: string): boolean => {
    seen.push(id);
    return false;
  };
  await sweep(inbox, { isLeftOver, isOver: () => false });
  expect(seen).toEqual(['long']);
  // A page of keys each, and one for the rest of the long one.
  const pages = costs.filter(({ sql }) => sql.includes('AS page'));
  expect(pages.length).toBeGreaterThan(waiting / 500);
  expect(pages.length).toBeLessThan(waiting / 500 + 5);
  expect(costlier(costs, maxForPage)).toEqual([]);
});

it('a query about single aggregates reads their rows alone', async () => {
  const ids = ['long', 'board-000100', 'board-000200', 'board-010000'];
  await store.transaction(async ({ marks, parked }) => {
    const locked = await marks.lock(ids);
    expect((await parked.compare(locked)).waiting).toHaveLength(4);
    await parked.deletePassed(locked, ids);
    expect(await parked.next('long', 10)).toHaveLength(10);
    const places = ids.map((aggregateId) => ({ aggregateId, version: 2, eventId: '' }));
    expect(await parked.findConflicts(places)).toHaveLength(4);
    expect(await parked.find('board-000100', 2)).toBeDefined();
  });
  expect(costs.length).toBeGreaterThan(6);
  expect(costlier(costs, 60)).toEqual([]);
  const filter = { aggregateId: 'board-000501' };
  expect(await count(showDeadLetters(operator, lab.stack.registryUrl, filter))).toBe(1);
  expect(costlier(costs, 60)).toEqual([]);
});

it('the status reads each index once', async () => {
  const status = await inboxStatus(operator, lab.topic);
  expect(status.parkedAggregates).toHaveLength(10);
  await store.transaction(({ skips }) => skips.findAhead());
  // All that is parked, by entry of the index, by temporary table and sorted.
  expect(costlier(costs, waiting * 2 * 4 + deadLetters)).toEqual([]);
});

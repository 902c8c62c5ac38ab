import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createKeyedMutex } from '../../src/inbox.ts';
import { drain, sweep } from '../../src/apply/drain.ts';
import { processReadings } from '../../src/consume/process-source.ts';
import { InvalidEventError } from '../../src/errors.ts';
import type { Inbox } from '../../src/inbox.ts';
import type { Delivery } from '../../src/record.ts';
import { createMysqlStore } from '../../src/store/mysql-store.ts';
import { openInboxLab, type InboxLab } from '../support/inbox-lab.ts';
import {
  processInRandomBatches,
  shuffle,
  toDelivery,
  toSourceRecord,
} from '../support/race-inboxes.ts';
import { seededRandom, type Random } from '../support/random.ts';
import { thingLogHandler } from '../support/thing-log.ts';

// One interleaving is one aggregate whose records several owners process at once; a round races
// many of them together.
const interleavings = process.env['TIER'] === 'full' ? 10_000 : 1_000;
const perRound = 50;
const versions = [1, 2, 3, 4, 5];
const firstSeed = Number(process.env['SEED'] ?? 1);

let lab: InboxLab;
let owners: Inbox[];
let reruns = 0;
let transactions = 0;
const drainsPutOff: string[] = [];

beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
  owners = [];
  // Nothing is produced: only what the races hand over moves. No sweep tidies up behind them.
  const { inbox } = await lab.start(thingLogHandler({ batch: true }), {
    settings: { sweepEveryMs: 3_600_000 },
  });
  for (let count = 0; count < 3; count += 1) {
    const dataSource = await lab.openDataSource({ poolSize: 4 });
    const createQueryRunner = dataSource.createQueryRunner.bind(dataSource);
    dataSource.createQueryRunner = (mode) => {
      transactions += 1;
      return createQueryRunner(mode);
    };
    owners.push({
      ...inbox,
      store: createMysqlStore({
        dataSource,
        consumer: inbox.store.consumer,
        nowMs: inbox.clock.now,
        onRerun: () => (reruns += 1),
      }),
      // Each stands for a process of its own: only the database keeps them apart.
      drains: createKeyedMutex(),
      logger: Object.assign(Object.create(inbox.logger) as typeof inbox.logger, {
        warn: (line: { event?: string; error?: string }) =>
          line.event === 'inbox.drain-later' && drainsPutOff.push(line.error ?? ''),
      }),
    });
  }
});
afterAll(() => lab.close());

/**
 * Runs the race in rounds, each with a seed of its own, then checks every mark, effect and parked
 * row.
 */
async function raceInRounds(
  race: (ids: readonly string[], random: Random) => Promise<void>,
): Promise<void> {
  await lab.rows('DELETE FROM thing_log');
  await lab.rows('DELETE FROM mark');
  reruns = 0;
  transactions = 0;
  const startedAt = performance.now();
  for (let round = 0; round * perRound < interleavings; round += 1) {
    const seed = firstSeed + round;
    const ids = Array.from({ length: perRound }, (_, index) => `${seed}-${index}`);
    await race(ids, seededRandom(seed));
    expect(await lab.rows('SELECT * FROM parked'), `SEED=${seed}`).toEqual([]);
  }
  const wrong = await lab.rows(
    `SELECT mark.aggregateid, mark.version, effects.versions FROM mark LEFT JOIN (
       SELECT aggregateid, GROUP_CONCAT(version ORDER BY seq) AS versions FROM thing_log GROUP BY aggregateid
     ) AS effects USING (aggregateid) WHERE mark.version <> ? OR COALESCE(effects.versions, '') <> ?`,
    [versions.length, versions.join(',')],
  );
  expect(wrong).toEqual([]);
  expect(await lab.rows('SELECT COUNT(*) AS marks FROM mark')).toEqual([
    { marks: Math.ceil(interleavings / perRound) * perRound },
  ]);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stderr.write(
    `races: ${interleavings} interleavings in ${seconds} s, ${transactions} transactions, ${reruns} run again\n`,
  );
  expect(drainsPutOff).toEqual([]);
  expect(reruns).toBeLessThan(transactions / 20);
}

const records = (ids: readonly string[]) =>
  ids.map((id) =>
    versions.map((version, index) => toSourceRecord(lab.thing(id, version), lab.topic, index)),
  );

/** Mixes the aggregates, each one's records in their order. */
function interleave<Item>(lists: readonly (readonly Item[])[], random: Random): Item[] {
  const next = lists.map(() => 0);
  const mixed: Item[] = [];
  const turns = shuffle(
    lists.flatMap((list, index) => list.map(() => index)),
    random,
  );
  for (const turn of turns) {
    const item = lists[turn]?.[next[turn] ?? 0];
    if (item !== undefined) mixed.push(item);
    next[turn] = (next[turn] ?? 0) + 1;
  }
  return mixed;
}

describe('at once on one partition', () => {
  it('two owners apply everything once and in order', { timeout: 600_000 }, () =>
    raceInRounds(async (ids, random) => {
      const all = interleave(records(ids), random).map((record) => toDelivery(record, 'source'));
      const [first, second] = owners;
      if (!first || !second) throw new Error('two owners are needed');
      await Promise.all(
        [first, second].map((owner) =>
          processInRandomBatches(owner, all, 5 + random.below(120), random),
        ),
      );
    }),
  );

  it(
    'main and retry consumer, a zombie and a sweep apply everything once and in order',
    { timeout: 600_000 },
    () =>
      raceInRounds(async (ids, random) => {
        const lists = records(ids);
        // One version of each aggregate failed at its first attempt: only the retry consumer has
        // it.
        const inRetry = lists.flatMap((list) => list.splice(random.below(list.length), 1));
        const fromSource = interleave(lists, random).map((record) => toDelivery(record, 'source'));
        const fromRetry = shuffle([...inRetry, ...inRetry], random).map((record) =>
          toDelivery(record, 'retry'),
        );
        const [first, second, third] = owners;
        if (!first || !second || !third) throw new Error('three owners are needed');
        await Promise.all([
          processInRandomBatches(first, fromSource, 5 + random.below(120), random),
          processInRandomBatches(second, fromSource, 5 + random.below(120), random),
          processInRandomBatches(third, fromRetry, 1 + random.below(40), random),
          sweep(third, { isLeftOver: () => true, isOver: () => false }),
        ]);
      }),
  );
});

it('a failure that another owner parks again while it is published stays parked', async () => {
  const [owner, other] = owners;
  if (!owner || !other) throw new Error('two owners are needed');
  const id = 'parked-again';
  const [skipped, next] = [1, 2].map((version) =>
    toSourceRecord(lab.thing(id, version), lab.topic, version),
  );
  if (!skipped || !next) throw new Error('two records');
  const { identity } = toDelivery(skipped, 'source');
  await owner.store.transaction(async ({ marks, skips, parked }) => {
    await marks.lock([id]);
    await marks.move(new Map([[id, { version: 1, eventId: identity.eventId }]]));
    await skips.record([{ identity, decidedBy: 'policy', reason: 'dead letter' }]);
    await parked.add([toDelivery(next, 'source')]);
  });

  const fails = thingLogHandler({
    sabotage: () => {
      throw new Error('planned');
    },
  });
  // A replay of what the policy passed over fails before the event behind it, so the retry record
  // of that event is parked again.
  const parkAgain = () =>
    processReadings({ ...other, handler: fails }, [
      { kind: 'delivery', delivery: { ...toDelivery(skipped, 'retry'), replayed: true } },
      { kind: 'delivery', delivery: toDelivery(next, 'retry') },
    ]);
  const { publisher } = owner;
  const publish: typeof publisher.publish = async (published) => {
    const stored = await publisher.publish(published);
    await parkAgain();
    return stored;
  };
  await drain({ ...owner, handler: fails, publisher: { ...publisher, publish } }, [id], onlyOnce());

  expect(await lab.rows('SELECT version, attempt FROM parked WHERE aggregateid = ?', [id])).toEqual(
    [{ version: 2, attempt: 2 }],
  );
});

it('an event that is parked in the place of a dead letter becomes one itself when the policy passes over that', async () => {
  const [owner] = owners;
  if (!owner) throw new Error('an owner is needed');
  const id = 'two-of-one-version';
  const of = (version: number, offset: number) =>
    toDelivery(toSourceRecord(lab.thing(id, version), lab.topic, offset), 'source');
  const [first, waiting, other] = [of(1, 1), of(2, 2), of(2, 3)];
  const readings = (...deliveries: Delivery[]) =>
    deliveries.map((delivery) => ({ kind: 'delivery' as const, delivery }));
  const handler = thingLogHandler({
    afterDeadLetter: 'skip',
    sabotage: ({ eventId }) => {
      if (eventId === other.identity.eventId) throw new InvalidEventError('planned');
    },
  });
  await processReadings({ ...owner, handler }, readings(waiting));
  await processReadings({ ...owner, handler }, readings(first, other));

  expect(await lab.rows('SELECT version FROM thing_log WHERE aggregateid = ?', [id])).toEqual([
    { version: 1 },
  ]);
  expect(await lab.rows('SELECT * FROM parked WHERE aggregateid = ?', [id])).toEqual([]);
  expect(
    await lab.rows(
      'SELECT event_id, reason FROM dead_letter WHERE aggregateid = ? ORDER BY reason',
      [id],
    ),
  ).toEqual([
    { event_id: waiting.identity.eventId, reason: 'conflict' },
    { event_id: other.identity.eventId, reason: 'invalid-event' },
  ]);
});

/** Says no, then yes: one round. */
function onlyOnce(): () => boolean {
  let count = 0;
  return () => count++ > 0;
}

import { deadLetterTopicName, groupTopics, headerNames } from '@board/contracts';
import { waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  openInboxLab,
  readDeadLetters,
  type InboxLab,
  type RunningInbox,
} from './support/inbox-lab.ts';
import { toDelivery, toSourceRecord } from './support/race-inboxes.ts';
import { appliedVersions, thingLogHandler } from './support/thing-log.ts';
import { baseline, type BaselineRow } from '../src/operator/begin-again.ts';
import { discardParked } from '../src/operator/give-up.ts';
import { dismissDeadLetter } from '../src/operator/give-up.ts';
import { findTopicGaps } from '../src/operator/topics.ts';
import { inboxStatus } from '../src/operator/status.ts';
import type { DeadLetterFilter } from '../src/operator/dead-letter-index.ts';
import type { DeadLetterEntry } from '../src/operator/dead-letter-index.ts';
import { listDeadLetters } from '../src/operator/list-dead-letters.ts';
import { storeOf, type Operator } from '../src/operator/operator.ts';
import { rebuild } from '../src/operator/begin-again.ts';
import { replayDeadLetters, type ReplayOptions } from '../src/operator/replay.ts';
import { showDeadLetters } from '../src/operator/show-dead-letters.ts';
import { skipVersion } from '../src/operator/skip.ts';

let lab: InboxLab;
let operator: Operator;
/** `aggregate/version` of the events that the handler refuses. */
let poison: Set<string>;

beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
beforeEach(async () => {
  operator = await openOperator();
  poison = new Set();
});
afterEach(() => lab.reset());
afterAll(() => lab.close());

const openOperator = async (): Promise<Operator> => ({
  consumer: { group: lab.group, aggregateType: 'thing' },
  dataSource: await lab.openDataSource(),
  kafka: lab.kafka,
  now: Date.now,
});

/** For tests that depend on where a topic or a group begins: each has a lab of its own. */
function useOwnLab(): void {
  let shared: InboxLab;
  beforeEach(async () => {
    shared = lab;
    lab = await openInboxLab(inject('stack'));
    operator = await openOperator();
  });
  afterEach(async () => {
    await lab.close();
    lab = shared;
  });
}

const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index + 1);
const applied = () => appliedVersions(lab.schema.root);

function start(options: { afterDeadLetter?: 'block' | 'skip' } = {}): Promise<RunningInbox> {
  return lab.start(
    thingLogHandler({
      ...options,
      sabotage: ({ aggregateId, version }) => {
        if (poison.has(`${aggregateId}/${version}`))
          throw new Error(`${aggregateId}/${version} is poison`);
      },
    }),
    { retryTiers: 1, settings: { retryBaseMs: 20 } },
  );
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const list = (filter?: DeadLetterFilter): Promise<DeadLetterEntry[]> =>
  collect(listDeadLetters(operator, filter));

async function replay(filter: DeadLetterFilter, options?: ReplayOptions): Promise<string[]> {
  const replays = await collect(replayDeadLetters(operator, filter, options));
  return replays.map(
    ({ deadLetter, outcome }) => `${deadLetter.aggregateId}/${deadLetter.version} ${outcome}`,
  );
}

function openDeadLetters(count: number): Promise<DeadLetterEntry[]> {
  return waitUntil(`${count} open dead letters`, async () => {
    const deadLetters = await list();
    return deadLetters.length === count && deadLetters;
  });
}

const appliedAll = (id: string, versions: readonly number[]) =>
  waitUntil(`${id} applied`, async () => (await applied()).get(id)?.at(-1) === versions.at(-1));

describe('an event whose attempts are spent', () => {
  it('is one dead letter with its followers parked, and its replay releases all in order', async () => {
    poison.add('bad/2');
    await start();
    await lab.produce(
      range(20).flatMap((version) => ['bad', 'good'].map((id) => lab.thing(id, version))),
    );
    const [deadLetter] = await openDeadLetters(1);
    await lab.caughtUp();
    expect(deadLetter).toMatchObject({
      reason: 'attempts-exhausted',
      aggregateId: 'bad',
      version: 2,
      markVersion: 1,
    });
    expect(await applied()).toEqual(
      new Map([
        ['bad', [1]],
        ['good', range(20)],
      ]),
    );

    poison.clear();
    expect(await replay({})).toEqual(['bad/2 replayed']);
    await appliedAll('bad', range(20));
    expect((await applied()).get('bad')).toEqual(range(20));
    expect(await list()).toEqual([]);
    expect(await list({ state: 'closed' })).toMatchObject([{ closedBy: 'applied', replays: 1 }]);
  });

  it('is the same dead letter when its replay fails again, and can be replayed again', async () => {
    poison.add('bad/1');
    await start();
    await lab.produce([lab.thing('bad', 1)]);
    await openDeadLetters(1);
    expect(await replay({})).toEqual(['bad/1 replayed']);
    await waitUntil('failed again', async () => (await list())[0]?.copies === 2);
    expect(await list()).toMatchObject([
      { copies: 2, replays: 1, isReplayPending: false, attempts: 2 },
    ]);
    poison.clear();
    expect(await replay({})).toEqual(['bad/1 replayed']);
    await appliedAll('bad', [1]);
  });

  it('is applied once although it is replayed five times, and then superseded', async () => {
    poison.add('bad/1');
    const first = await start();
    await lab.produce(range(3).map((version) => lab.thing('bad', version)));
    await openDeadLetters(1);
    await first.stop();
    poison.clear();
    expect(await replay({})).toEqual(['bad/1 replayed']);
    expect(await replay({})).toEqual(['bad/1 in-flight']);
    for (let again = 0; again < 4; again += 1)
      expect(await replay({}, { again: true })).toEqual(['bad/1 replayed']);
    await start();
    await lab.produce([lab.thing('marker', 1)]);
    await appliedAll('bad', range(3));
    await waitUntil('five replays read', async () =>
      (await inboxStatus(operator, lab.topic)).retries.every(({ records }) => records === 0),
    );
    expect((await applied()).get('bad')).toEqual(range(3));
    expect(await replay({ state: 'all' }, { again: true })).toEqual(['bad/1 superseded']);
  });

  it('releases its followers in order when it is skipped', async () => {
    poison.add('bad/2');
    await start();
    await lab.produce(range(5).map((version) => lab.thing('bad', version)));
    const [deadLetter] = await openDeadLetters(1);
    expect(
      await skipVersion(operator, { aggregateId: 'bad', version: 2, reason: 'hopeless' }),
    ).toEqual({
      outcome: 'skipped',
      eventId: deadLetter?.id,
    });
    await appliedAll('bad', range(5));
    expect((await applied()).get('bad')).toEqual([1, 3, 4, 5]);
    expect(await lab.rows('SELECT version, event_id, decided_by, reason FROM skipped')).toEqual([
      { version: 2, event_id: deadLetter?.id, decided_by: 'hand', reason: 'hopeless' },
    ]);
    expect(await list({ state: 'closed' })).toMatchObject([{ closedBy: 'skipped' }]);
    expect(await replay({ state: 'all' })).toEqual(['bad/2 superseded']);
  });
});

it('skips a dead letter by hand and keeps another event that is parked in its place as a dead letter', async () => {
  const running = await start();
  await lab.produce([lab.thing('bad', 1)]);
  await appliedAll('bad', [1]);
  await running.stop();
  const [skipped, parkedOne] = [2, 3].map((offset) =>
    toDelivery(toSourceRecord(lab.thing('bad', 2), lab.topic, offset), 'source'),
  );
  if (!skipped || !parkedOne) throw new Error('two events');
  const { record, identity } = skipped;
  const failure = {
    record,
    reason: 'attempts-exhausted',
    error: new Error('planned'),
    attempts: 4,
  } as const;
  await storeOf(operator).transaction(async ({ marks, parked, deadLetters }) => {
    await marks.lock(['bad']);
    await parked.add([parkedOne]);
    await deadLetters.record([
      {
        identity,
        dlqOffset: 0n,
        failure: { ...failure, firstFailedAtMs: undefined, bare: undefined },
      },
    ]);
  });

  expect(
    await skipVersion(operator, { aggregateId: 'bad', version: 2, reason: 'hopeless' }),
  ).toEqual({
    outcome: 'skipped',
    eventId: identity.eventId,
  });
  expect(await lab.rows('SELECT * FROM parked')).toEqual([]);
  expect(await list()).toMatchObject([{ id: parkedOne.identity.eventId, reason: 'conflict' }]);
  expect(await readDeadLetters(lab)).toHaveLength(1);
});

describe('a version that was skipped by hand', () => {
  useOwnLab();

  it('stays skipped when the offsets of both groups go back to the earliest', async () => {
    poison.add('bad/2');
    const first = await start();
    await lab.produce(range(3).map((version) => lab.thing('bad', version)));
    await openDeadLetters(1);
    await lab.caughtUp();
    // Skipped while nothing runs and with no follower that moves the mark on: its own id must be in
    // the mark.
    await first.stop();
    await lab.schema.root.query("DELETE FROM parked WHERE aggregateid = 'bad'");
    await skipVersion(operator, { aggregateId: 'bad', version: 2, reason: 'hopeless' });
    const admin = lab.kafka.admin();
    await admin.connect();
    await admin.deleteGroups([lab.group, `${lab.group}.retry`]);
    await admin.disconnect();
    await start();
    await lab.produce([lab.thing('bad', 4)]);
    await appliedAll('bad', range(4));
    await lab.caughtUp();
    expect((await applied()).get('bad')).toEqual([1, 3, 4]);
    expect(await list()).toEqual([]);
    expect(await readDeadLetters(lab)).toHaveLength(1);
  });
});

describe('many dead letters', () => {
  it('of one aggregate, replayed in reverse, are each applied once and in order', async () => {
    const versions = range(12);
    poison.add('bad/1');
    await start();
    await lab.produce(versions.map((version) => lab.thing('bad', version)));
    await openDeadLetters(1);
    await lab.caughtUp();
    for (const version of versions.slice(1))
      await discardParked(operator, { aggregateId: 'bad', version, reason: 'for the test' });
    const deadLetters = await openDeadLetters(12);
    poison.clear();
    const last = deadLetters.toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0));
    for (const { id, version } of last)
      expect(await replay({ ids: [id] })).toEqual([`bad/${version} replayed`]);
    await appliedAll('bad', versions);
    expect((await applied()).get('bad')).toEqual(versions);
    expect(await list()).toEqual([]);
  });

  it('of many aggregates are read from the DLQ in pages and replayed with a rate, resumed after an abort', async () => {
    const ids = range(130).map((number) => `bad-${number}`);
    for (const id of ids) poison.add(`${id}/1`);
    // Healthy aggregates, or the circuit breaker would hold everything.
    await lab.produce(range(300).map((number) => lab.thing(`good-${number}`, 1)));
    const first = await start();
    await lab.produce(ids.flatMap((id) => [lab.thing(id, 2), lab.thing(id, 1)]));
    await openDeadLetters(130);
    await first.stop();
    poison.clear();

    expect(new Set(await replay({}, { dryRun: true }))).toEqual(
      new Set(ids.map((id) => `${id}/1 would-replay`)),
    );
    const stop = new AbortController();
    const sent: string[] = [];
    for await (const { deadLetter, outcome } of replayDeadLetters(
      operator,
      {},
      { rate: 80, signal: stop.signal },
    )) {
      expect(outcome).toBe('replayed');
      sent.push(deadLetter.id);
      if (sent.length === 25) stop.abort();
    }
    expect(sent.length).toBeGreaterThanOrEqual(25);
    expect(sent.length).toBeLessThan(130);
    const outcomes = await replay({});
    expect(outcomes.filter((line) => line.endsWith('in-flight'))).toHaveLength(sent.length);
    expect(outcomes.filter((line) => line.endsWith('replayed'))).toHaveLength(130 - sent.length);

    await start();
    const versionsOfBad = async () =>
      ids.map(
        (
          (all) => (id: string) =>
            all.get(id) ?? []
        )(await applied()),
      );
    await waitUntil('all applied', async () => (await versionsOfBad()).flat().length >= 260);
    expect(await versionsOfBad()).toEqual(ids.map(() => [1, 2]));
    expect(await list()).toEqual([]);
  });

  it('that fail again while they are replayed do not come round again', async () => {
    poison.add('bad/1');
    await start();
    await lab.produce([lab.thing('bad', 1)]);
    await openDeadLetters(1);
    const outcomes: string[] = [];
    for await (const { outcome } of replayDeadLetters(operator, {}, { rate: 4 })) {
      outcomes.push(outcome);
      await waitUntil(
        'failed again',
        async () => (await list())[0]?.copies === outcomes.length + 1,
      );
      if (outcomes.length === 3) break;
    }
    expect(outcomes).toEqual(['replayed']);
  });

  it('are missing when the DLQ no longer holds their records', async () => {
    poison.add('bad/1');
    await start();
    await lab.produce([lab.thing('bad', 1)]);
    const [deadLetter] = await openDeadLetters(1);
    const topic = deadLetterTopicName(lab.group);
    const admin = lab.kafka.admin();
    await admin.connect();
    // Which loads the metadata that kafkajs wants for the next call.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: deadLetter?.dlqPartition ?? 0, offset: '-1' }],
    });
    await admin.disconnect();
    expect(await replay({})).toEqual(['bad/1 missing']);
    expect(await list()).toMatchObject([{ replays: 0 }]);
    expect(await collect(showDeadLetters(operator, lab.stack.registryUrl, {}))).toMatchObject([
      { record: undefined },
    ]);
  });

  it('are filtered by reason, aggregate, error and time', async () => {
    poison.add('bad/1');
    await start();
    await lab.produce([
      lab.thing('bad', 1),
      lab.thing('broken', 1, { value: Buffer.from([7, 7, 7, 7, 7, 7]) }),
      lab.thing('x', 1, { headers: { [headerNames.version]: 'many' } }),
    ]);
    const all = await openDeadLetters(3);
    const names = async (filter: DeadLetterFilter) =>
      (await list(filter)).map(({ aggregateId }) => aggregateId).sort();
    expect(await names({ reason: 'invalid-event' })).toEqual(['broken']);
    expect(await names({ aggregateId: 'bad' })).toEqual(['bad']);
    expect(await names({ error: 'IS POISON' })).toEqual(['bad']);
    expect(await names({ error: '100%' })).toEqual([]);
    expect(await names({ ids: [] })).toEqual([]);
    const last = Math.max(...all.map(({ lastFailedAt }) => lastFailedAt));
    expect(await names({ sinceMs: last + 1 })).toEqual([]);
    expect(await names({ untilMs: last + 1 })).toHaveLength(3);
    expect((await list({ state: 'all' })).map(({ lastFailedAt }) => lastFailedAt)).toEqual(
      all.map(({ lastFailedAt }) => lastFailedAt).sort((a, b) => a - b),
    );
  });
});

describe('a dead letter that is shown', () => {
  it('has its raw record, its payload, its headers and what waits behind it', async () => {
    poison.add('bad/1');
    await start();
    await lab.produce([
      lab.thing('bad', 1, { text: 'hello' }),
      lab.thing('bad', 2),
      lab.thing('bad', 3),
    ]);
    await lab.produce([lab.thing('broken', 1, { value: Buffer.from([7, 7, 7, 7, 7, 7]) })]);
    await openDeadLetters(2);
    await lab.caughtUp();
    const shown = await collect(showDeadLetters(operator, lab.stack.registryUrl, {}));
    const bad = shown.find(({ deadLetter }) => deadLetter.aggregateId === 'bad');
    const broken = shown.find(({ deadLetter }) => deadLetter.aggregateId === 'broken');
    expect(bad?.payload).toEqual({
      kind: 'decoded',
      schemaId: lab.schemaId,
      event: expect.objectContaining({ id: 'bad', version: 1, text: 'hello' }) as unknown,
    });
    expect(bad?.followers).toEqual({ count: 2, firstVersion: 2, lastVersion: 3 });
    expect(broken?.record?.value).toEqual(Buffer.from([7, 7, 7, 7, 7, 7]));
    expect(broken?.payload?.kind).toBe('raw');
    const admin = lab.kafka.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.filter(({ groupId }) => groupId.startsWith(`${lab.group}.operator`))).toEqual([]);
  });
});

describe('skip', () => {
  it('refuses a version that is not next, one that is passed and one that is unknown', async () => {
    poison.add('bad/2');
    await start();
    await lab.produce([lab.thing('bad', 1), lab.thing('bad', 2), lab.thing('bad', 3)]);
    await openDeadLetters(1);
    const skip = (version: number) =>
      skipVersion(operator, { aggregateId: 'bad', version, reason: 'test' });
    expect(await skip(3)).toEqual({ outcome: 'not-next', markVersion: 1 });
    expect(await skip(1)).toEqual({ outcome: 'already-passed', markVersion: 1 });
    await lab.produce([lab.thing('good', 1)]);
    await appliedAll('good', [1]);
    expect(
      await skipVersion(operator, { aggregateId: 'good', version: 2, reason: 'test' }),
    ).toEqual({
      outcome: 'unknown-event',
    });
    expect(
      await skipVersion(operator, { aggregateId: 'typo', version: 1, reason: 'test' }),
    ).toEqual({
      outcome: 'unknown-aggregate',
    });
    expect(await lab.rows('SELECT * FROM skipped')).toEqual([]);
  });

  it('refuses an unknown aggregate, whatever is asserted, and leaves no mark of it', async () => {
    await start();
    await lab.produce([lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    const asserted = {
      aggregateId: 'typo',
      version: 1,
      reason: 'test',
      isLost: true,
      withoutFollowers: true,
    };
    expect(await skipVersion(operator, asserted)).toEqual({ outcome: 'unknown-aggregate' });
    expect(await lab.rows("SELECT * FROM mark WHERE aggregateid = 'typo'")).toEqual([]);
  });

  it('refuses a version as lost that the writer may not have reached: its next event is applied', async () => {
    await start();
    await lab.produce([lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    expect(
      await skipVersion(operator, { aggregateId: 'a', version: 2, reason: 'typo', isLost: true }),
    ).toEqual({
      outcome: 'no-followers',
    });
    await lab.produce([lab.thing('a', 2)]);
    await appliedAll('a', range(2));
    expect((await applied()).get('a')).toEqual([1, 2]);
    expect(await lab.rows('SELECT * FROM skipped')).toEqual([]);
  });

  it('wants followers of a version too whose only dead letter was dismissed as one that never existed', async () => {
    await start();
    await lab.produce([
      lab.thing('a', 1),
      lab.thing('a', 2, { value: Buffer.from([7, 7, 7, 7, 7, 7]) }),
    ]);
    const [forged] = await openDeadLetters(1);
    const skip = () => skipVersion(operator, { aggregateId: 'a', version: 2, reason: 'test' });
    await dismissDeadLetter(operator, {
      id: forged?.id ?? '',
      reason: 'forged',
      neverExisted: true,
    });
    expect(await skip()).toEqual({ outcome: 'no-followers' });
    await lab.produce([lab.thing('a', 3)]);
    await waitUntil('parked', async () => (await lab.rows('SELECT * FROM parked')).length === 1);
    expect(await skip()).toEqual({ outcome: 'skipped', eventId: forged?.id });
  });

  it('passes a lost version without followers when that is asserted, and calls its record a conflict should it come after all', async () => {
    await start();
    await lab.produce([lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    const lost = {
      aggregateId: 'a',
      version: 2,
      reason: 'lost',
      isLost: true,
      withoutFollowers: true,
    };
    expect(await skipVersion(operator, lost)).toEqual({ outcome: 'skipped', eventId: '' });
    await lab.produce([lab.thing('a', 2)]);
    expect(await openDeadLetters(1)).toMatchObject([{ reason: 'conflict', version: 2 }]);
    await lab.produce([lab.thing('a', 3)]);
    await appliedAll('a', [3]);
    expect((await applied()).get('a')).toEqual([1, 3]);
  });

  it('passes a lost version whose follower is parked, and the follower is applied', async () => {
    await start();
    await lab.produce([lab.thing('a', 1), lab.thing('a', 3)]);
    await waitUntil('parked', async () => (await lab.rows('SELECT * FROM parked')).length === 1);
    const lost = { aggregateId: 'a', version: 2, reason: 'lost', isLost: true };
    expect(await skipVersion(operator, lost)).toEqual({ outcome: 'skipped', eventId: '' });
    await appliedAll('a', [3]);
    expect((await applied()).get('a')).toEqual([1, 3]);
  });

  it('knows an aggregate by what is parked, a dead letter or a skip alone', async () => {
    const first = await start();
    await lab.produce([
      lab.thing('parked', 2),
      lab.thing('letter', 1, { value: Buffer.from([7, 7, 7, 7, 7, 7]) }),
    ]);
    await openDeadLetters(1);
    await lab.caughtUp();
    await first.stop();
    const skip = (aggregateId: string, version: number) =>
      skipVersion(operator, { aggregateId, version, reason: 'test', isLost: true });
    await lab.schema.root.query('DELETE FROM mark');
    expect(await skip('letter', 2)).toEqual({ outcome: 'not-next', markVersion: 0 });
    expect(await skip('letter', 1)).toMatchObject({ outcome: 'skipped' });
    await lab.schema.root.query("DELETE FROM mark WHERE aggregateid = 'letter'");
    await lab.schema.root.query('DELETE FROM dead_letter');
    expect(await skip('letter', 1)).toEqual({ outcome: 'no-followers' });
    expect(await lab.rows('SELECT * FROM mark')).toEqual([]);
    expect(await skip('parked', 1)).toMatchObject({ outcome: 'skipped' });
  });
});

describe('skip while others work', () => {
  it('decides under the lock of the mark, not by what it was before', async () => {
    const first = await start();
    await lab.produce([lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    await first.stop();
    const { dataSource } = operator;
    const other = dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query("UPDATE mark SET version = 2, event_id = 'second' WHERE aggregateid = 'a'");
    const skipping = skipVersion(operator, {
      aggregateId: 'a',
      version: 2,
      reason: 'test',
      isLost: true,
    });
    // information_schema.processlist fails while any statement of the server holds an emoji.
    await waitUntil('the skip waits for the lock', async () => {
      const statements = await lab.rows<{ db: string | null; Info: string | null }>(
        'SHOW FULL PROCESSLIST',
      );
      return statements.some(
        ({ db, Info }) => db === lab.schema.name && Info?.startsWith('INSERT INTO mark'),
      );
    });
    await other.commitTransaction();
    await other.release();
    expect(await skipping).toEqual({ outcome: 'already-passed', markVersion: 2 });
    expect(await lab.rows('SELECT * FROM skipped')).toEqual([]);
  });

  it('takes the event id of a parked record and its row in the same transaction', async () => {
    const first = await start();
    const third = lab.thing('a', 3);
    await lab.produce([lab.thing('a', 1), third]);
    await waitUntil('parked', async () => (await lab.rows('SELECT * FROM parked')).length === 1);
    await lab.caughtUp();
    await first.stop();
    await skipVersion(operator, { aggregateId: 'a', version: 2, reason: 'test', isLost: true });
    expect(await skipVersion(operator, { aggregateId: 'a', version: 3, reason: 'test' })).toEqual({
      outcome: 'skipped',
      eventId: third.headers[headerNames.eventId],
    });
    expect(await lab.rows('SELECT * FROM parked')).toEqual([]);
  });
});

describe('dismiss', () => {
  it('closes what has no place in any order, for good, and refuses the rest', async () => {
    poison.add('bad/1');
    const nameless = lab.thing('x', 1, { headers: { [headerNames.version]: undefined } });
    await start();
    await lab.produce([nameless, lab.thing('bad', 1)]);
    const deadLetters = await openDeadLetters(2);
    const name = (reason: string) => deadLetters.find((one) => one.reason === reason)?.id ?? '';
    const dismiss = (id: string, neverExisted = false) =>
      dismissDeadLetter(operator, { id, reason: 'looked at', neverExisted });
    expect(await dismiss('unheard-of')).toBe('unknown');
    expect(await dismiss(name('attempts-exhausted'))).toBe('has-a-place');
    expect(await replay({ reason: 'no-identity' })).toEqual(['null/null no-identity']);
    expect(await dismiss(name('no-identity'))).toBe('dismissed');
    expect(await dismiss(name('no-identity'))).toBe('not-open');
    expect(await dismiss(name('attempts-exhausted'), true)).toBe('dismissed');
    expect(await dismiss(name('attempts-exhausted'))).toBe('not-open');
    expect(await list()).toEqual([]);
    expect(await list({ ids: [name('no-identity')], state: 'all' })).toMatchObject([
      { closedBy: 'dismissed', closedReason: 'looked at' },
    ]);
    expect(await replay({ state: 'all', aggregateId: 'bad' })).toEqual(['bad/1 closed']);
    // Dismissed by mistake: it can still be had.
    poison.clear();
    expect(await replay({ state: 'all', aggregateId: 'bad' }, { again: true })).toEqual([
      'bad/1 replayed',
    ]);
    await appliedAll('bad', [1]);
  });
});

describe('discard', () => {
  it('moves a parked record to the DLQ, byte for byte, and into the list', async () => {
    await start();
    const forged = lab.thing('a', 1_000_000_000);
    await lab.produce([lab.thing('a', 1), forged]);
    await waitUntil('parked', async () => (await lab.rows('SELECT * FROM parked')).length === 1);
    const discard = (version: number) =>
      discardParked(operator, { aggregateId: 'a', version, reason: 'forged' });
    expect(await discard(2)).toEqual({ outcome: 'not-parked' });
    expect(await discard(1_000_000_000)).toMatchObject({
      outcome: 'discarded',
      id: forged.headers['id'],
    });
    expect(await discard(1_000_000_000)).toEqual({ outcome: 'not-parked' });
    expect(await lab.rows('SELECT * FROM parked')).toEqual([]);
    expect(await list()).toMatchObject([
      { reason: 'discarded', errorMessage: 'forged', version: 1_000_000_000 },
    ]);
    const [deadLetter] = await readDeadLetters(lab);
    expect(deadLetter?.value).toEqual(forged.value);
    expect(deadLetter?.headers['inbox-reason']).toBe('discarded');
  });
});

describe('status', () => {
  it('tells marks, lag, parked aggregates with age, retry depth, open dead letters and skips', async () => {
    poison.add('bad/1');
    const running = await start();
    await lab.produce([
      lab.thing('bad', 1),
      lab.thing('bad', 2),
      lab.thing('bad', 3),
      lab.thing('good', 1),
    ]);
    await openDeadLetters(1);
    await lab.caughtUp();
    const busy = await inboxStatus(operator, lab.topic);
    expect(busy.groups.map(({ members }) => members)).toEqual([1, 1]);
    await running.stop();
    await lab.produce([lab.thing('later', 1)]);
    await lab.produce([lab.thing('bad', 9)], `${lab.group}.retry.2`);
    const status = await inboxStatus(operator, lab.topic);
    expect(status).toMatchObject({
      consumer: lab.group,
      marks: 1,
      openDeadLetters: { 'attempts-exhausted': 1 },
      skipped: { policy: 0, hand: 0 },
      parked: { rows: 2 },
      parkedAggregates: [
        { aggregateId: 'bad', markVersion: 0, parked: 2, firstVersion: 2, lastVersion: 3 },
      ],
      retries: [
        { tier: 1, records: 0 },
        { tier: 2, records: 1 },
        { tier: 3, records: 0 },
      ],
    });
    expect(
      status.lag.map(({ records }) => records).reduce((sum, records) => sum + records, 0),
    ).toBe(1);
    expect(status.lag.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    expect(status.groups.map(({ members }) => members)).toEqual([0, 0]);
    expect(status.parkedAggregates[0]?.oldestAgeMs).toBeGreaterThan(0);
  });
});

describe('baseline', () => {
  useOwnLab();

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
    const five = lab.thing('a', 5);
    const row = { aggregateId: 'a', version: 5, eventId: five.headers['id'] ?? '', data: 'seeded' };
    expect(await baseline(operator, rows([row]), seed)).toEqual({ outcome: 'seeded', marks: 1 });
    await start();
    await lab.produce([five, lab.thing('a', 6)]);
    await appliedAll('a', [6]);
    expect((await applied()).get('a')).toEqual([5, 6]);
    expect(await list()).toEqual([]);
  });

  it('changes nothing when the consumer starts while it seeds', async () => {
    const row = { aggregateId: 'a', version: 5, eventId: 'e', data: 'seeded' };
    const outcome = await baseline(operator, rows([row]), async (tx, page) => {
      await seed(tx, page);
      await start();
    });
    expect(outcome).toEqual({ outcome: 'has-started' });
    expect(await lab.rows('SELECT * FROM mark')).toEqual([]);
    expect(await applied()).toEqual(new Map());
  });

  it('refuses once there are marks or the group has started, and leaves nothing half-done', async () => {
    const row = { aggregateId: 'a', version: 5, eventId: 'e', data: 'seeded' };
    await expect(baseline(operator, rows([row, row]), seed)).rejects.toThrow(/Duplicate entry/);
    expect(await lab.rows('SELECT * FROM mark')).toEqual([]);
    expect(await applied()).toEqual(new Map());
    await baseline(operator, rows([row]), seed);
    expect(await baseline(operator, rows([row]), seed)).toEqual({ outcome: 'has-marks' });
    await start();
    expect(await baseline(operator, rows([row]), seed)).toEqual({ outcome: 'has-started' });
  });
});

describe('rebuild', () => {
  useOwnLab();

  const deleteRows = async (tx: { query(sql: string): Promise<unknown> }): Promise<void> => {
    await tx.query('DELETE FROM thing_log');
  };

  it('applies everything from the earliest record again, once and in order', async () => {
    const first = await start();
    await lab.produce(
      range(10).flatMap((version) => ['a', 'b'].map((id) => lab.thing(id, version))),
    );
    await lab.produce([lab.thing('gap', 2)]);
    await lab.caughtUp();
    expect(await rebuild(operator, { sourceTopic: lab.topic, deleteRows })).toMatchObject({
      outcome: 'has-members',
    });
    expect((await applied()).size).toBe(2);
    await first.stop();
    expect(await rebuild(operator, { sourceTopic: lab.topic, deleteRows })).toEqual({
      outcome: 'emptied',
      marks: 3,
      parked: 1,
    });
    expect(await lab.rows('SELECT * FROM parked')).toEqual([]);
    expect(await applied()).toEqual(new Map());
    await start();
    await waitUntil('all again', async () => [...(await applied()).values()].flat().length === 20);
    expect(await applied()).toEqual(new Map(['a', 'b'].map((id) => [id, range(10)])));
    expect(await lab.rows('SELECT aggregateid FROM parked')).toEqual([{ aggregateid: 'gap' }]);
  });

  it('passes over again what was skipped before, although it would succeed now', async () => {
    poison.add('a/2');
    const first = await start();
    await lab.produce(range(4).map((version) => lab.thing('a', version)));
    await openDeadLetters(1);
    // Its replay is still in the retry topic when everything starts again.
    await replay({});
    await waitUntil('failed again', async () => (await list())[0]?.copies === 2);
    await skipVersion(operator, { aggregateId: 'a', version: 2, reason: 'hopeless' });
    await appliedAll('a', range(4));
    await lab.caughtUp();
    await first.stop();
    poison.clear();
    expect(await rebuild(operator, { sourceTopic: lab.topic, deleteRows })).toMatchObject({
      outcome: 'emptied',
    });
    await start();
    await appliedAll('a', range(4));
    await lab.caughtUp();
    expect((await applied()).get('a')).toEqual([1, 3, 4]);
    expect(await lab.rows('SELECT version, decided_by, reason FROM skipped')).toEqual([
      { version: 2, decided_by: 'hand', reason: 'hopeless' },
    ]);
    expect(await list()).toEqual([]);
  });

  it('refuses behind a topic that no longer holds what was applied, until that is accepted', async () => {
    const request = { sourceTopic: lab.topic, deleteRows };
    const first = await start();
    await lab.produce(range(6).map((version) => ({ ...lab.thing('a', version), partition: 1 })));
    await appliedAll('a', range(6));
    await lab.caughtUp();
    await first.stop();
    const refused = async (gap: object): Promise<void> => {
      expect(await rebuild(operator, request)).toMatchObject({ outcome: 'has-gaps', gaps: [gap] });
      expect((await applied()).get('a')).toEqual(range(6));
      expect(await lab.rows('SELECT version FROM mark')).toEqual([{ version: 6 }]);
    };

    // Marks that were seeded behind an older topic of the name.
    await lab.rows(`INSERT INTO mark VALUES (?, 'thing', 'b', 1, '')`, [lab.group]);
    expect((await findTopicGaps(operator, lab.topic)).gaps).toMatchObject([
      { kind: 'too-few', records: 6, applied: 7 },
    ]);
    await lab.rows(`DELETE FROM mark WHERE aggregateid = 'b'`);
    // A range that an audit has cleared.
    await lab.rows(
      `INSERT INTO missing_range VALUES (?, ?, 0, 3, 4, 'records 3 to 4 were deleted', 1, 2)`,
      [lab.group, lab.topic],
    );
    await refused({ kind: 'missing', reason: 'records 3 to 4 were deleted' });
    await lab.rows('DELETE FROM missing_range');
    // A topic that ends before what was read of it.
    await lab.rows('DELETE FROM read_position');
    await lab.rows('INSERT INTO read_position VALUES (?, ?, 1, 6, 9, 1)', [lab.group, lab.topic]);
    await refused({
      kind: 'missing',
      reason: expect.stringContaining(`${lab.topic}/1 ends at 6 and ended at 9`),
    });
    await lab.rows('UPDATE read_position SET end_offset = 6');

    const admin = lab.kafka.admin();
    await admin.connect();
    await admin.fetchTopicOffsets(lab.topic);
    await admin.deleteTopicRecords({
      topic: lab.topic,
      partitions: [{ partition: 1, offset: '2' }],
    });
    await admin.disconnect();
    // As many records as before: only where the partition begins shows it.
    await lab.produce([1, 2].map((version) => lab.thing('c', version)));
    await refused({ kind: 'begins-late', topic: lab.topic, partition: 1, low: 2 });
    expect(await rebuild(operator, { ...request, acceptGaps: true })).toMatchObject({
      outcome: 'emptied',
      marks: 1,
    });
    expect(await applied()).toEqual(new Map());
    // What is read from now on counts from there.
    expect(await lab.rows('SELECT next_offset FROM read_position')).toEqual([{ next_offset: 2 }]);
  });

  it('changes nothing when a process joins while it deletes', async () => {
    const first = await start();
    await lab.produce(range(3).map((version) => lab.thing('a', version)));
    await appliedAll('a', range(3));
    await lab.caughtUp();
    await first.stop();
    const outcome = await rebuild(operator, {
      sourceTopic: lab.topic,
      deleteRows: async (tx) => {
        await deleteRows(tx);
        await start();
      },
    });
    expect(outcome).toMatchObject({ outcome: 'has-members' });
    expect(await applied()).toEqual(new Map([['a', range(3)]]));
    expect(await lab.rows('SELECT version FROM mark')).toEqual([{ version: 3 }]);
  });
});

describe('a dead letter whose DLQ was made again', () => {
  useOwnLab();

  it('is missing, and no other record is sent in its place', async () => {
    const running = await start();
    const inPartition0 = (id: string) => ({
      ...lab.thing(id, 1, { value: null, eventId: `event-of-${id}` }),
      partition: 0,
    });
    await lab.produce([inPartition0('old')]);
    await openDeadLetters(1);
    await running.stop();
    await makeAgain(deadLetterTopicName(lab.group));
    // Its offset lies behind the end of the new one, which is empty.
    expect(await replay({ ids: ['event-of-old'] })).toEqual(['old/1 missing']);
    await start();
    await lab.produce([inPartition0('new')]);
    await openDeadLetters(2);
    expect(await replay({ ids: ['event-of-old'] })).toEqual(['old/1 missing']);
    const both = { ids: ['event-of-old', 'event-of-new'] };
    expect((await replay(both)).toSorted()).toEqual(['new/1 replayed', 'old/1 missing']);
    const shown = await collect(
      showDeadLetters(operator, lab.stack.registryUrl, { ids: ['event-of-old'] }),
    );
    expect(shown.map(({ record }) => record)).toEqual([undefined]);
  });
});

/** Deletes a topic and makes it again, as empty as on its first day. */
async function makeAgain(name: string): Promise<void> {
  const definition = groupTopics(lab.consumer).find((topic) => topic.name === name);
  if (definition === undefined) throw new Error(`the group has no topic ${name}`);
  const admin = lab.kafka.admin();
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

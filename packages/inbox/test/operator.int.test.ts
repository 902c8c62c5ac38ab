import { deadLetterTopicName, headerNames } from '@board/contracts';
import { waitUntil } from '@board/test';
import { describe, expect, it } from 'vitest';
import type { DeadLetterFilter } from '../src/operator/dead-letter-index.ts';
import { discardParked, dismissDeadLetter } from '../src/operator/give-up.ts';
import { storeOf } from '../src/operator/operator.ts';
import { replayDeadLetters } from '../src/operator/replay.ts';
import { showDeadLetters } from '../src/operator/show-dead-letters.ts';
import { skipVersion } from '../src/operator/skip.ts';
import { inboxStatus } from '../src/operator/status.ts';
import { readDeadLetters } from './support/inbox-lab.ts';
import { collect, range, useOperatorLab } from './support/operator-lab.ts';
import { toDelivery, toSourceRecord } from './support/race-inboxes.ts';

const at = useOperatorLab('file');
const { poison, start, list, replay, openDeadLetters, applied, appliedAll } = at;

describe('an event whose attempts are spent', () => {
  it('is one dead letter with its followers parked, and its replay releases all in order', async () => {
    poison.add('bad/2');
    await start();
    await at.lab.produce(
      range(20).flatMap((version) => ['bad', 'good'].map((id) => at.lab.thing(id, version))),
    );
    const [deadLetter] = await openDeadLetters(1);
    await at.lab.caughtUp();
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
    await at.lab.produce([at.lab.thing('bad', 1)]);
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
    await at.lab.produce(range(3).map((version) => at.lab.thing('bad', version)));
    await openDeadLetters(1);
    await first.stop();
    poison.clear();
    expect(await replay({})).toEqual(['bad/1 replayed']);
    expect(await replay({})).toEqual(['bad/1 in-flight']);
    for (let again = 0; again < 4; again += 1)
      expect(await replay({}, { again: true })).toEqual(['bad/1 replayed']);
    await start();
    await at.lab.produce([at.lab.thing('marker', 1)]);
    await appliedAll('bad', range(3));
    await waitUntil('five replays read', async () =>
      (await inboxStatus(at.operator, at.lab.topic)).retries.every(({ records }) => records === 0),
    );
    expect((await applied()).get('bad')).toEqual(range(3));
    expect(await replay({ state: 'all' }, { again: true })).toEqual(['bad/1 superseded']);
  });

  it('releases its followers in order when it is skipped', async () => {
    poison.add('bad/2');
    await start();
    await at.lab.produce(range(5).map((version) => at.lab.thing('bad', version)));
    const [deadLetter] = await openDeadLetters(1);
    expect(
      await skipVersion(at.operator, { aggregateId: 'bad', version: 2, reason: 'hopeless' }),
    ).toEqual({
      outcome: 'skipped',
      eventId: deadLetter?.id,
    });
    await appliedAll('bad', range(5));
    expect((await applied()).get('bad')).toEqual([1, 3, 4, 5]);
    expect(await at.lab.rows('SELECT version, event_id, decided_by, reason FROM skipped')).toEqual([
      { version: 2, event_id: deadLetter?.id, decided_by: 'hand', reason: 'hopeless' },
    ]);
    expect(await list({ state: 'closed' })).toMatchObject([{ closedBy: 'skipped' }]);
    expect(await replay({ state: 'all' })).toEqual(['bad/2 superseded']);
  });
});

it('skips a dead letter by hand and keeps another event that is parked in its place as a dead letter', async () => {
  const running = await start();
  await at.lab.produce([at.lab.thing('bad', 1)]);
  await appliedAll('bad', [1]);
  await running.stop();
  const [skipped, parkedOne] = [2, 3].map((offset) =>
    toDelivery(toSourceRecord(at.lab.thing('bad', 2), at.lab.topic, offset), 'source'),
  );
  if (!skipped || !parkedOne) throw new Error('two events');
  const { record, identity } = skipped;
  const failure = {
    record,
    reason: 'attempts-exhausted',
    error: new Error('planned'),
    attempts: 4,
  } as const;
  await storeOf(at.operator).transaction(async ({ marks, parked, deadLetters }) => {
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
    await skipVersion(at.operator, { aggregateId: 'bad', version: 2, reason: 'hopeless' }),
  ).toEqual({
    outcome: 'skipped',
    eventId: identity.eventId,
  });
  expect(await at.lab.rows('SELECT * FROM parked')).toEqual([]);
  expect(await list()).toMatchObject([{ id: parkedOne.identity.eventId, reason: 'conflict' }]);
  expect(await readDeadLetters(at.lab)).toHaveLength(1);
});

describe('many dead letters', () => {
  it('of one aggregate, replayed in reverse, are each applied once and in order', async () => {
    const versions = range(12);
    poison.add('bad/1');
    await start();
    await at.lab.produce(versions.map((version) => at.lab.thing('bad', version)));
    await openDeadLetters(1);
    await at.lab.caughtUp();
    for (const version of versions.slice(1))
      await discardParked(at.operator, { aggregateId: 'bad', version, reason: 'for the test' });
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
    await at.lab.produce(range(300).map((number) => at.lab.thing(`good-${number}`, 1)));
    const first = await start();
    await at.lab.produce(ids.flatMap((id) => [at.lab.thing(id, 2), at.lab.thing(id, 1)]));
    await openDeadLetters(130);
    await first.stop();
    poison.clear();

    expect(new Set(await replay({}, { dryRun: true }))).toEqual(
      new Set(ids.map((id) => `${id}/1 would-replay`)),
    );
    const stop = new AbortController();
    const sent: string[] = [];
    for await (const { deadLetter, outcome } of replayDeadLetters(
      at.operator,
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
    await at.lab.produce([at.lab.thing('bad', 1)]);
    await openDeadLetters(1);
    const outcomes: string[] = [];
    for await (const { outcome } of replayDeadLetters(at.operator, {}, { rate: 4 })) {
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
    await at.lab.produce([at.lab.thing('bad', 1)]);
    const [deadLetter] = await openDeadLetters(1);
    const topic = deadLetterTopicName(at.lab.group);
    const admin = at.lab.kafka.admin();
    await admin.connect();
    // Loads the metadata that kafkajs needs for the next call.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: deadLetter?.dlqPartition ?? 0, offset: '-1' }],
    });
    await admin.disconnect();
    expect(await replay({})).toEqual(['bad/1 missing']);
    expect(await list()).toMatchObject([{ replays: 0 }]);
    expect(await collect(showDeadLetters(at.operator, at.lab.stack.registryUrl, {}))).toMatchObject(
      [{ record: undefined }],
    );
  });

  it('are filtered by reason, aggregate, error and time', async () => {
    poison.add('bad/1');
    await start();
    await at.lab.produce([
      at.lab.thing('bad', 1),
      at.lab.thing('broken', 1, { value: Buffer.from([7, 7, 7, 7, 7, 7]) }),
      at.lab.thing('x', 1, { headers: { [headerNames.version]: 'many' } }),
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
    await at.lab.produce([
      at.lab.thing('bad', 1, { text: 'hello' }),
      at.lab.thing('bad', 2),
      at.lab.thing('bad', 3),
    ]);
    await at.lab.produce([at.lab.thing('broken', 1, { value: Buffer.from([7, 7, 7, 7, 7, 7]) })]);
    await openDeadLetters(2);
    await at.lab.caughtUp();
    const shown = await collect(showDeadLetters(at.operator, at.lab.stack.registryUrl, {}));
    const bad = shown.find(({ deadLetter }) => deadLetter.aggregateId === 'bad');
    const broken = shown.find(({ deadLetter }) => deadLetter.aggregateId === 'broken');
    expect(bad?.payload).toEqual({
      kind: 'decoded',
      schemaId: at.lab.schemaId,
      event: expect.objectContaining({ id: 'bad', version: 1, text: 'hello' }) as unknown,
    });
    expect(bad?.followers).toEqual({ count: 2, firstVersion: 2, lastVersion: 3 });
    expect(broken?.record?.value).toEqual(Buffer.from([7, 7, 7, 7, 7, 7]));
    expect(broken?.payload?.kind).toBe('raw');
    const admin = at.lab.kafka.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.filter(({ groupId }) => groupId.startsWith(`${at.lab.group}.operator`))).toEqual(
      [],
    );
  });
});

describe('skip', () => {
  it('refuses a version that is not next, one that is passed and one that is unknown', async () => {
    poison.add('bad/2');
    await start();
    await at.lab.produce([at.lab.thing('bad', 1), at.lab.thing('bad', 2), at.lab.thing('bad', 3)]);
    await openDeadLetters(1);
    const skip = (version: number) =>
      skipVersion(at.operator, { aggregateId: 'bad', version, reason: 'test' });
    expect(await skip(3)).toEqual({ outcome: 'not-next', markVersion: 1 });
    expect(await skip(1)).toEqual({ outcome: 'already-passed', markVersion: 1 });
    await at.lab.produce([at.lab.thing('good', 1)]);
    await appliedAll('good', [1]);
    expect(
      await skipVersion(at.operator, { aggregateId: 'good', version: 2, reason: 'test' }),
    ).toEqual({
      outcome: 'unknown-event',
    });
    expect(
      await skipVersion(at.operator, { aggregateId: 'typo', version: 1, reason: 'test' }),
    ).toEqual({
      outcome: 'unknown-aggregate',
    });
    expect(await at.lab.rows('SELECT * FROM skipped')).toEqual([]);
  });

  it('refuses an unknown aggregate, whatever is asserted, and leaves no mark of it', async () => {
    await start();
    await at.lab.produce([at.lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    const asserted = {
      aggregateId: 'typo',
      version: 1,
      reason: 'test',
      isLost: true,
      withoutFollowers: true,
    };
    expect(await skipVersion(at.operator, asserted)).toEqual({ outcome: 'unknown-aggregate' });
    expect(await at.lab.rows("SELECT * FROM mark WHERE aggregateid = 'typo'")).toEqual([]);
  });

  it('refuses a version as lost that the writer may not have reached: its next event is applied', async () => {
    await start();
    await at.lab.produce([at.lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    expect(
      await skipVersion(at.operator, {
        aggregateId: 'a',
        version: 2,
        reason: 'typo',
        isLost: true,
      }),
    ).toEqual({
      outcome: 'no-followers',
    });
    await at.lab.produce([at.lab.thing('a', 2)]);
    await appliedAll('a', range(2));
    expect((await applied()).get('a')).toEqual([1, 2]);
    expect(await at.lab.rows('SELECT * FROM skipped')).toEqual([]);
  });

  it('requires followers also of a version whose only dead letter was dismissed as one that never existed', async () => {
    await start();
    await at.lab.produce([
      at.lab.thing('a', 1),
      at.lab.thing('a', 2, { value: Buffer.from([7, 7, 7, 7, 7, 7]) }),
    ]);
    const [forged] = await openDeadLetters(1);
    const skip = () => skipVersion(at.operator, { aggregateId: 'a', version: 2, reason: 'test' });
    await dismissDeadLetter(at.operator, {
      id: forged?.id ?? '',
      reason: 'forged',
      neverExisted: true,
    });
    expect(await skip()).toEqual({ outcome: 'no-followers' });
    await at.lab.produce([at.lab.thing('a', 3)]);
    await waitUntil('parked', async () => (await at.lab.rows('SELECT * FROM parked')).length === 1);
    expect(await skip()).toEqual({ outcome: 'skipped', eventId: forged?.id });
  });

  it('passes a lost version without followers when that is asserted, and calls its record a conflict if it comes', async () => {
    await start();
    await at.lab.produce([at.lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    const lost = {
      aggregateId: 'a',
      version: 2,
      reason: 'lost',
      isLost: true,
      withoutFollowers: true,
    };
    expect(await skipVersion(at.operator, lost)).toEqual({ outcome: 'skipped', eventId: '' });
    await at.lab.produce([at.lab.thing('a', 2)]);
    expect(await openDeadLetters(1)).toMatchObject([{ reason: 'conflict', version: 2 }]);
    await at.lab.produce([at.lab.thing('a', 3)]);
    await appliedAll('a', [3]);
    expect((await applied()).get('a')).toEqual([1, 3]);
  });

  it('passes a lost version whose follower is parked, and the follower is applied', async () => {
    await start();
    await at.lab.produce([at.lab.thing('a', 1), at.lab.thing('a', 3)]);
    await waitUntil('parked', async () => (await at.lab.rows('SELECT * FROM parked')).length === 1);
    const lost = { aggregateId: 'a', version: 2, reason: 'lost', isLost: true };
    expect(await skipVersion(at.operator, lost)).toEqual({ outcome: 'skipped', eventId: '' });
    await appliedAll('a', [3]);
    expect((await applied()).get('a')).toEqual([1, 3]);
  });

  it('accepts an aggregate of which only a parked event, a dead letter or a skip is known', async () => {
    const first = await start();
    await at.lab.produce([
      at.lab.thing('parked', 2),
      at.lab.thing('dead', 1, { value: Buffer.from([7, 7, 7, 7, 7, 7]) }),
    ]);
    await openDeadLetters(1);
    await at.lab.caughtUp();
    await first.stop();
    const skip = (aggregateId: string, version: number) =>
      skipVersion(at.operator, { aggregateId, version, reason: 'test', isLost: true });
    await at.lab.schema.root.query('DELETE FROM mark');
    expect(await skip('dead', 2)).toEqual({ outcome: 'not-next', markVersion: 0 });
    expect(await skip('dead', 1)).toMatchObject({ outcome: 'skipped' });
    await at.lab.schema.root.query("DELETE FROM mark WHERE aggregateid = 'dead'");
    await at.lab.schema.root.query('DELETE FROM dead_letter');
    expect(await skip('dead', 1)).toEqual({ outcome: 'no-followers' });
    expect(await at.lab.rows('SELECT * FROM mark')).toEqual([]);
    expect(await skip('parked', 1)).toMatchObject({ outcome: 'skipped' });
  });
});

describe('skip while others work', () => {
  it('decides under the lock of the mark, not by what it was before', async () => {
    const first = await start();
    await at.lab.produce([at.lab.thing('a', 1)]);
    await appliedAll('a', [1]);
    await first.stop();
    const { dataSource } = at.operator;
    const other = dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query("UPDATE mark SET version = 2, event_id = 'second' WHERE aggregateid = 'a'");
    const skipping = skipVersion(at.operator, {
      aggregateId: 'a',
      version: 2,
      reason: 'test',
      isLost: true,
    });
    // information_schema.processlist fails while any statement of the server holds an emoji.
    await waitUntil('the skip waits for the lock', async () => {
      const statements = await at.lab.rows<{ db: string | null; Info: string | null }>(
        'SHOW FULL PROCESSLIST',
      );
      return statements.some(
        ({ db, Info }) => db === at.lab.schema.name && Info?.startsWith('INSERT INTO mark'),
      );
    });
    await other.commitTransaction();
    await other.release();
    expect(await skipping).toEqual({ outcome: 'already-passed', markVersion: 2 });
    expect(await at.lab.rows('SELECT * FROM skipped')).toEqual([]);
  });

  it('takes the event id of a parked record and its row in the same transaction', async () => {
    const first = await start();
    const third = at.lab.thing('a', 3);
    await at.lab.produce([at.lab.thing('a', 1), third]);
    await waitUntil('parked', async () => (await at.lab.rows('SELECT * FROM parked')).length === 1);
    await at.lab.caughtUp();
    await first.stop();
    await skipVersion(at.operator, { aggregateId: 'a', version: 2, reason: 'test', isLost: true });
    expect(
      await skipVersion(at.operator, { aggregateId: 'a', version: 3, reason: 'test' }),
    ).toEqual({
      outcome: 'skipped',
      eventId: third.headers[headerNames.eventId],
    });
    expect(await at.lab.rows('SELECT * FROM parked')).toEqual([]);
  });
});

describe('dismiss', () => {
  it('closes what has no place in any order, for good, and refuses the rest', async () => {
    poison.add('bad/1');
    const nameless = at.lab.thing('x', 1, { headers: { [headerNames.version]: undefined } });
    await start();
    await at.lab.produce([nameless, at.lab.thing('bad', 1)]);
    const deadLetters = await openDeadLetters(2);
    const name = (reason: string) => deadLetters.find((one) => one.reason === reason)?.id ?? '';
    const dismiss = (id: string, neverExisted = false) =>
      dismissDeadLetter(at.operator, { id, reason: 'looked at', neverExisted });
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
    const forged = at.lab.thing('a', 1_000_000_000);
    await at.lab.produce([at.lab.thing('a', 1), forged]);
    await waitUntil('parked', async () => (await at.lab.rows('SELECT * FROM parked')).length === 1);
    const discard = (version: number) =>
      discardParked(at.operator, { aggregateId: 'a', version, reason: 'forged' });
    expect(await discard(2)).toEqual({ outcome: 'not-parked' });
    expect(await discard(1_000_000_000)).toMatchObject({
      outcome: 'discarded',
      id: forged.headers['id'],
    });
    expect(await discard(1_000_000_000)).toEqual({ outcome: 'not-parked' });
    expect(await at.lab.rows('SELECT * FROM parked')).toEqual([]);
    expect(await list()).toMatchObject([
      { reason: 'discarded', errorMessage: 'forged', version: 1_000_000_000 },
    ]);
    const [deadLetter] = await readDeadLetters(at.lab);
    expect(deadLetter?.value).toEqual(forged.value);
    expect(deadLetter?.headers['inbox-reason']).toBe('discarded');
  });
});

describe('status', () => {
  it('shows marks, lag, parked aggregates with age, retry depth, open dead letters and skips', async () => {
    poison.add('bad/1');
    const running = await start();
    await at.lab.produce([
      at.lab.thing('bad', 1),
      at.lab.thing('bad', 2),
      at.lab.thing('bad', 3),
      at.lab.thing('good', 1),
    ]);
    await openDeadLetters(1);
    await at.lab.caughtUp();
    const busy = await inboxStatus(at.operator, at.lab.topic);
    expect(busy.groups.map(({ members }) => members)).toEqual([1, 1]);
    await running.stop();
    await at.lab.produce([at.lab.thing('later', 1)]);
    await at.lab.produce([at.lab.thing('bad', 9)], `${at.lab.group}.retry.2`);
    const status = await inboxStatus(at.operator, at.lab.topic);
    expect(status).toMatchObject({
      consumer: at.lab.group,
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

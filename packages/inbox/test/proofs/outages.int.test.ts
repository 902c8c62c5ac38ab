import { deadLetterTopicName, retryTopicName } from '@board/contracts';
import { startTcpProxy, waitUntil, type TcpProxy } from '@board/test';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { deadLetterHeaders } from '../../src/fail/headers.ts';
import {
  openInboxLab,
  readDeadLetters,
  type InboxLab,
  type RunningInbox,
} from '../support/inbox-lab.ts';
import { refuseWrites } from '../support/refuse-writes.ts';
import { retryLag } from '../support/lag.ts';
import { appliedVersions, thingLogHandler } from '../support/thing-log.ts';

const outageMs = process.env['TIER'] === 'full' ? 60_000 : 5_000;
const range = (to: number): number[] => Array.from({ length: to }, (_, index) => index + 1);
const ids = range(20).map((index) => `t${index}`);

let lab: InboxLab;
let database: TcpProxy;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
beforeEach(async () => {
  database = await startTcpProxy(lab.stack.mysql);
});
afterEach(async () => {
  // First: what still waits for an answer of the database fails now.
  await database.close();
  await lab.reset();
});
afterAll(() => lab.close());

const startThroughProxy = async (
  handler = thingLogHandler({ batch: true }),
): Promise<RunningInbox> =>
  lab.start(handler, {
    dataSource: await lab.openDataSource({ host: database.host, port: database.port }),
    settings: { maxWaitMs: 500 },
  });
const applied = () => appliedVersions(lab.schema.root);
const everything = new Map(ids.map((id) => [id, range(50)]));

async function committed(): Promise<string> {
  const admin = lab.kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchOffsets({ groupId: lab.group, topics: [lab.topic] });
  await admin.disconnect();
  return JSON.stringify(offsets[0]?.partitions.toSorted((a, b) => a.partition - b.partition));
}

/** Offsets once no slice that was processed before the outage is still committing. */
async function steadyOffsets(): Promise<string> {
  let last = await committed();
  return waitUntil('steady offsets', async () => {
    const now = await committed();
    const isSteady = now === last;
    last = now;
    return isSteady && now;
  });
}

/** Produces in small portions, so that the outage falls into the middle. */
async function produceSlowly(from: number, to: number): Promise<void> {
  for (let version = from; version <= to; version += 1) {
    await lab.produce(ids.map((id) => lab.thing(id, version)));
    await wait(20);
  }
}

describe('a database that is away in mid-load', () => {
  it.each(['cut', 'reset'] as const)(
    '(%s) costs nothing: no dead letter, offsets stay, work goes on by itself',
    { timeout: outageMs + 90_000 },
    async (kind) => {
      const { health, failure } = await startThroughProxy();
      await produceSlowly(1, 20);
      await waitUntil('work has begun', async () => (await applied()).size > 0);
      const producing = produceSlowly(21, 50);
      database.set({ kind });
      await waitUntil('the wait is an alarm', () =>
        [...health.alarms.active().keys()].some((key) => key.startsWith('waiting')),
      );
      const during = await steadyOffsets();
      await wait(outageMs);
      await producing;
      const server = `MySQL at ${database.host}:${database.port}: `;
      await waitUntil('every alarm names the server', () => {
        const reasons = ['sweep', 'health monitor', `waiting ${lab.topic}/0`].map((key) =>
          health.alarms.active().get(key),
        );
        return reasons.every((alarm) => alarm?.reason.includes(server));
      });
      expect(await committed()).toBe(during);
      expect(await readDeadLetters(lab)).toEqual([]);

      database.set({ kind: 'none' });
      await lab.caughtUp();
      expect(await applied()).toEqual(everything);
      expect(await readDeadLetters(lab)).toEqual([]);
      expect(await retryLag(lab)).toBe(0n);
      expect(failure()).toBeUndefined();
      await waitUntil('alarms quiet', () => health.alarms.active().size === 0);
    },
  );

  it(
    '(half-open: bytes vanish) costs nothing: work goes on by itself',
    { timeout: 90_000 },
    async () => {
      await startThroughProxy();
      await produceSlowly(1, 20);
      await waitUntil('work has begun', async () => (await applied()).size > 0);
      database.set({ kind: 'half-open', drop: 'both' });
      await produceSlowly(21, 50);
      await wait(1_000);
      database.set({ kind: 'none' });
      await lab.caughtUp(45_000);
      expect(await applied()).toEqual(everything);
      expect(await readDeadLetters(lab)).toEqual([]);
    },
  );

  it(
    '(half-open while nothing is to do) leaves the sweep and its alarms alive',
    { timeout: 90_000 },
    async () => {
      const { health } = await startThroughProxy();
      await produceSlowly(1, 1);
      await lab.caughtUp();
      database.set({ kind: 'half-open', drop: 'both' });
      await wait(1_000);
      database.set({ kind: 'none' });
      await lab.produce([lab.thing('t1', 2, { value: null })]);
      await waitUntil('a dead letter', async () => (await readDeadLetters(lab)).length === 1);
      await waitUntil('its alarm', () => health.alarms.active().has('dead letters'), {
        timeoutMs: 45_000,
      });
    },
  );
});

describe('a topic that refuses writes', () => {
  it(
    '(the DLQ) loses nothing: the offset waits, other partitions go on, it heals by itself',
    { timeout: 90_000 },
    async () => {
      const heal = await refuseWrites(lab.kafka, deadLetterTopicName(lab.group));
      const { health } = await lab.start(thingLogHandler({ batch: true }), {
        settings: { maxWaitMs: 500 },
      });
      await lab.produce([lab.thing('bad', 1, { value: null }), lab.thing('bad', 2)]);
      await lab.produce(range(5).flatMap((version) => ids.map((id) => lab.thing(id, version))));
      await waitUntil('others applied', async () => (await applied()).size > ids.length / 3);
      await waitUntil('the wait is an alarm', () => health.alarms.active().size > 0);
      await expect(lab.caughtUp(1_000)).rejects.toThrow('not within');
      expect(await readDeadLetters(lab)).toEqual([]);

      await heal();
      await lab.caughtUp();
      const deadLetters = await readDeadLetters(lab);
      expect(deadLetters).toHaveLength(1);
      expect(deadLetters[0]?.headers).toMatchObject({
        [deadLetterHeaders.reason]: 'invalid-event',
        aggregateId: 'bad',
      });
      expect(await applied()).toEqual(new Map(ids.map((id) => [id, range(5)])));
      expect(await lab.rows('SELECT version FROM parked')).toEqual([{ version: 2 }]);
    },
  );

  it(
    '(a retry topic) loses nothing: the offset waits, the event is applied once it heals',
    { timeout: 90_000 },
    async () => {
      const heal = await refuseWrites(lab.kafka, retryTopicName(lab.group, 1));
      let isBroken = true;
      const { health } = await lab.start(
        thingLogHandler({
          batch: true,
          sabotage: ({ aggregateId, version }) => {
            if (isBroken && aggregateId === 'bad' && version === 2) throw new Error('planted');
          },
        }),
        { settings: { maxWaitMs: 500 } },
      );
      await lab.produce(range(4).map((version) => lab.thing('bad', version)));
      await waitUntil('the wait is an alarm', () => health.alarms.active().size > 0);
      await expect(lab.caughtUp(1_000)).rejects.toThrow('not within');
      expect(await applied()).toEqual(new Map([['bad', [1]]]));

      await heal();
      await lab.caughtUp();
      isBroken = false;
      await waitUntil('all applied', async () => (await applied()).get('bad')?.length === 4);
      expect(await applied()).toEqual(new Map([['bad', range(4)]]));
      expect(await readDeadLetters(lab)).toEqual([]);
    },
  );
});

describe('an event that fails twice while its 200 followers arrive', () => {
  it(
    'keeps its own order and does not hold up other aggregates',
    { timeout: 120_000 },
    async () => {
      const producedAt = new Map<string, number>();
      const latenciesMs: number[] = [];
      await lab.start(
        thingLogHandler({
          batch: true,
          sabotage: ({ aggregateId, version, eventId, attempt }) => {
            if (aggregateId === 'bad' && version === 1 && attempt <= 2) throw new Error('planted');
            const since = producedAt.get(eventId);
            if (aggregateId !== 'bad' && since !== undefined)
              latenciesMs.push(performance.now() - since);
          },
        }),
      );
      await lab.produce([lab.thing('warm-up', 1)]);
      await lab.caughtUp();

      /**
       * Sends versions of everybody at a steady pace; returns the p99 from before the send to the
       * handler.
       */
      async function run(from: number, bad: number): Promise<number> {
        latenciesMs.length = 0;
        for (let version = from; version < from + 50; version += 1) {
          const others = ids.map((id) => lab.thing(id, version));
          for (const { headers } of others)
            producedAt.set(String(headers['id']), performance.now());
          const followers = range(bad).map((index) =>
            lab.thing('bad', (version - from) * bad + index),
          );
          await lab.produce([...followers, ...others]);
          await wait(30);
        }
        await lab.caughtUp();
        const sorted = latenciesMs.toSorted((a, b) => a - b);
        return sorted[Math.floor(sorted.length * 0.99)] ?? Infinity;
      }

      const undisturbed = await run(1, 0);
      const disturbed = await run(51, 4);
      process.stderr.write(
        `p99 of the others: ${undisturbed.toFixed(0)} ms undisturbed, ${disturbed.toFixed(0)} ms beside a failing event\n`,
      );
      await waitUntil(
        'all of bad applied',
        async () => (await applied()).get('bad')?.length === 200,
      );
      expect((await applied()).get('bad')).toEqual(range(200));
      for (const id of ids) expect((await applied()).get(id)).toEqual(range(100));
      expect(disturbed).toBeLessThan(10 * undisturbed + 500);
    },
  );
});

import { must } from '@board/service-kit';
import { describe, expect, it } from 'vitest';
import type { DeadLetterReason, Delivery, Identity, ParkedDelivery } from '../../src/record.ts';
import { firstPlace, type InboxStore, type StoredDeadLetter } from '../../src/store/store.ts';
import { toHeaders } from './to-headers.ts';

/** Two stores of one consumer that has nothing yet, as two of its processes have them. */
export interface StorePair {
  readonly one: InboxStore;
  readonly other: InboxStore;
  /** What handlers have written and committed, in order. */
  effects(): Promise<readonly unknown[]>;
  /** As an operator does; the store itself never dismisses. */
  dismiss(letter: string): Promise<void>;
}

const identity = (aggregateId: string, version: number, eventId = `${aggregateId}${version}`): Identity => ({
  aggregateId,
  version,
  eventId,
});

const delivery = (aggregateId: string, version: number, eventId = `${aggregateId}${version}`): Delivery => ({
  kind: 'event',
  identity: identity(aggregateId, version, eventId),
  takenFrom: 'source',
  attempt: 2,
  firstFailedAtMs: 5,
  replayed: true,
  record: {
    origin: { topic: 'things', partition: 1, offset: '9007199254740993', timestampMs: 7 },
    key: Buffer.from('key'),
    value: Buffer.from([0, 1, 255]),
    headers: toHeaders({ id: eventId, note: null }),
  },
});

const deadLetter = (one: Delivery, reason: DeadLetterReason, named = true): StoredDeadLetter => ({
  identity: named ? one.identity : undefined,
  dlqOffset: 3n,
  failure: { record: one.record, reason, error: new Error('no'), attempts: 4, firstFailedAtMs: 5, bare: undefined },
});

const write = (store: InboxStore, effect: string) =>
  store.transaction(({ effects }) => effects.manager.query('INSERT INTO effect (text) VALUES (?)', [effect]));

const parkedRow = async (store: InboxStore, aggregateId: string, version: number): Promise<ParkedDelivery> => {
  const row = await store.transaction(({ parked }) => parked.find(aggregateId, version));
  return must(row, `parked row ${aggregateId}/${version}`);
};

const idsOf = (deliveries: readonly Delivery[]) => deliveries.map((one) => one.identity.eventId);

/** What every store promises; `open` gives each test a consumer of its own. */
export function describeStore(name: string, open: () => Promise<StorePair>): void {
  describe(`${name} as a store`, () => {
    it('commits marks and effects together, or neither', async () => {
      const { one, other, effects } = await open();
      const move = (fails: boolean) =>
        one.transaction(async (tx) => {
          await tx.marks.lock(['a']);
          await tx.effects.manager.query('INSERT INTO effect (text) VALUES (?)', ['effect']);
          await tx.marks.move(new Map([['a', { version: 1, eventId: 'a1' }]]));
          if (fails) throw new Error('planned');
          return 'done';
        });
      await expect(move(true)).rejects.toThrow('planned');
      expect(await other.transaction(({ marks }) => marks.find('a'))).toBeUndefined();
      expect(await effects()).toEqual([]);
      expect(await move(false)).toBe('done');
      expect(await other.transaction(({ marks }) => marks.find('a'))).toEqual({ version: 1, eventId: 'a1' });
      expect(await effects()).toEqual(['effect']);
    });

    it('shows to others what is committed only, and to a transaction its own writes', async () => {
      const { one, other } = await open();
      await one.transaction(async (tx) => {
        await tx.parked.add([delivery('a', 2)]);
        expect(await tx.parked.find('a', 2)).toBeDefined();
        expect(await other.transaction(({ parked }) => parked.find('a', 2))).toBeUndefined();
      });
      expect(await other.transaction(({ parked }) => parked.find('a', 2))).toBeDefined();
    });

    it('locks marks at version 0 where there was none, and lets the next one see what the first has moved', async () => {
      const { one, other } = await open();
      const locked = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const first = one.transaction(async ({ marks }) => {
        expect(await marks.lock(['b', 'a', 'a'])).toEqual(
          new Map([
            ['a', { version: 0, eventId: '' }],
            ['b', { version: 0, eventId: '' }],
          ]),
        );
        locked.resolve();
        await released.promise;
        await marks.move(new Map([['a', { version: 1, eventId: 'a1' }]]));
      });
      await locked.promise;
      const order: string[] = [];
      const second = other.transaction(async ({ marks }) => {
        const seen = await marks.lock(['a']);
        order.push('second');
        return seen.get('a');
      });
      // Another aggregate's mark is free.
      await other.transaction(({ marks }) => marks.lock(['c']));
      order.push('others');
      released.resolve();
      await first;
      expect(await second).toEqual({ version: 1, eventId: 'a1' });
      expect(order).toEqual(['others', 'second']);
    });

    it('undoes to a savepoint what a handler wrote since, and nothing else', async () => {
      const { one, effects } = await open();
      await one.transaction(async ({ effects: { manager, ...savepoints } }) => {
        await savepoints.setSavepoint();
        await manager.query('INSERT INTO effect (text) VALUES (?)', ['kept']);
        await savepoints.releaseSavepoint();
        await savepoints.setSavepoint();
        await manager.query('INSERT INTO effect (text) VALUES (?)', ['undone']);
        await savepoints.rollBackToSavepoint();
      });
      await write(one, 'later');
      expect(await effects()).toEqual(['kept', 'later']);
    });

    it('keeps nothing of a transaction whose connection was destroyed', async () => {
      const { one, effects } = await open();
      const work = one.transaction(async (tx) => {
        await tx.effects.manager.query('INSERT INTO effect (text) VALUES (?)', ['lost']);
        tx.effects.destroyConnection();
      });
      await expect(work).rejects.toThrow(/clos|destroy|lost/i);
      await write(one, 'kept');
      expect(await effects()).toEqual(['kept']);
    });

    it('parks each event once, gives it back to the byte, and names another event that claims its place', async () => {
      const { one } = await open();
      const rival = delivery('a', 2, 'other');
      await one.transaction(async ({ parked }) => {
        expect(await parked.add([delivery('a', 2), delivery('a', 3)])).toEqual([]);
        expect(await parked.add([delivery('a', 2), rival])).toEqual([rival]);
      });
      await one.transaction(async ({ parked }) => {
        const parkedAtMs = expect.any(Number) as number;
        expect(await parked.find('a', 2)).toEqual({ ...delivery('a', 2), takenFrom: 'parked', parkedAtMs });
        expect(await parked.findConflicts([identity('a', 2, 'other'), identity('a', 3)])).toEqual([
          { ...delivery('a', 2), takenFrom: 'parked', parkedAtMs },
        ]);
        const bytes = 2 * (3 + 3 + delivery('a', 2).record.headers.bytes.length);
        expect(await parked.size()).toMatchObject({ rows: 2, bytes });
      });
    });

    it('gives what follows the mark without a gap, and says what the marks have passed', async () => {
      const { one } = await open();
      await one.transaction(async ({ marks, parked }) => {
        await marks.lock(['a', 'b', 'c']);
        await parked.add([1, 2, 3, 4, 6].map((version) => delivery('a', version)));
        await parked.add([delivery('b', 3), delivery('c', 1)]);
        expect(idsOf(await parked.next('a', 3))).toEqual(['a1', 'a2', 'a3']);
        expect(idsOf(await parked.next('b', 3))).toEqual([]);
        const moved = new Map([
          ['a', { version: 2, eventId: 'a2' }],
          ['b', { version: 2, eventId: 'b2' }],
          ['c', { version: 1, eventId: 'c1' }],
        ]);
        await marks.move(moved);
        const { passed, waiting } = await parked.compare(moved);
        expect([passed.toSorted(), waiting.toSorted()]).toEqual([
          ['a', 'c'],
          ['a', 'b'],
        ]);
        await parked.deletePassed(moved, passed);
        expect(idsOf(await parked.next('a', 10))).toEqual(['a3', 'a4']);
        expect(await parked.lowest('')).toEqual([
          { aggregateId: 'a', version: 3, mark: 2 },
          { aggregateId: 'b', version: 3, mark: 2 },
        ]);
        expect(await parked.lowest('a')).toHaveLength(1);
      });
    });

    it('deletes a parked row as it was read, and keeps one that was parked again since', async () => {
      const { one, other } = await open();
      await one.transaction(async ({ parked }) => {
        await parked.add([delivery('a', 1), delivery('a', 2), delivery('a', 3)]);
      });
      const [first, second, third] = await Promise.all([1, 2, 3].map((version) => parkedRow(one, 'a', version)));
      if (!first || !second || !third) throw new Error('three rows');
      await other.transaction(({ parked }) => parked.add([delivery('a', 2), { ...delivery('a', 3), attempt: 4 }]));
      await one.transaction(({ parked }) => parked.remove([first, second, third]));
      expect(idsOf(await one.transaction(({ parked }) => parked.next('a', 10)))).toEqual([]);
      expect(await parkedRow(one, 'a', 2)).toEqual({ ...second, parkedAtMs: second.parkedAtMs + 1 });
      expect(await parkedRow(one, 'a', 3)).toEqual({ ...third, attempt: 4, parkedAtMs: third.parkedAtMs + 1 });
      // Another event that claims the place leaves the row as it is; a lower attempt does not count back.
      await other.transaction(({ parked }) => parked.add([delivery('a', 2, 'another event')]));
      await other.transaction(({ parked }) => parked.add([{ ...delivery('a', 3), attempt: 1 }]));
      expect((await parkedRow(one, 'a', 2)).parkedAtMs).toBe(second.parkedAtMs + 1);
      const again = await parkedRow(one, 'a', 3);
      expect(again.attempt).toBe(4);
      await one.transaction(({ parked }) => parked.remove([again]));
      expect(await one.transaction(({ parked }) => parked.find('a', 3))).toBeUndefined();
    });

    it('remembers skips by their first decision, and tells which of them a replay may still apply', async () => {
      const { one } = await open();
      await one.transaction(async ({ marks, skips }) => {
        await marks.move(new Map([['a', { version: 2, eventId: 'a2' }]]));
        await skips.record([
          { identity: identity('a', 1), decidedBy: 'hand', reason: 'by hand' },
          { identity: identity('a', 2), decidedBy: 'policy', reason: 'dead letter' },
          { identity: identity('a', 3), decidedBy: 'policy', reason: 'before a rebuild' },
        ]);
        await skips.record([{ identity: identity('a', 1), decidedBy: 'policy', reason: 'again' }]);
        const all = [identity('a', 1), identity('a', 2), identity('a', 2, 'another event'), identity('a', 3)];
        expect(await skips.findReopened(all)).toEqual(new Set(['a2', 'a3']));
        expect(await skips.findAhead()).toEqual(new Set(['a3']));
        await skips.forget([identity('a', 2)]);
        expect(await skips.findReopened(all)).toEqual(new Set(['a3']));
      });
    });

    it('closes a dead letter when its mark has passed it, and opens it again for a copy unless it was dismissed', async () => {
      const { one, dismiss } = await open();
      const open_ = () => one.transaction(({ deadLetters }) => deadLetters.countOpen());
      const exhausted = (version: number) => deadLetter(delivery('a', version), 'attempts-exhausted');
      await one.transaction(async ({ deadLetters, marks }) => {
        await marks.move(new Map([['a', { version: 1, eventId: 'a1' }]]));
        await deadLetters.record([exhausted(1), exhausted(2)]);
        await deadLetters.record([deadLetter(delivery('a', 1, 'rival'), 'conflict')]);
        await deadLetters.record([deadLetter(delivery('x', 1), 'no-identity', false)]);
        await deadLetters.closePage(firstPlace);
      });
      // What holds no place in the order is closed by hand only.
      expect(await open_()).toEqual(
        new Map([
          ['attempts-exhausted', 1],
          ['conflict', 1],
          ['no-identity', 1],
        ]),
      );
      await dismiss('rival');
      await one.transaction(async ({ deadLetters }) => {
        await deadLetters.record([exhausted(1), deadLetter(delivery('a', 1, 'rival'), 'conflict')]);
      });
      expect(await open_()).toEqual(
        new Map([
          ['attempts-exhausted', 2],
          ['no-identity', 1],
        ]),
      );
      await one.transaction(({ deadLetters }) => deadLetters.closeOf({ letter: 'a1' }));
      expect((await open_()).get('attempts-exhausted')).toBe(1);
    });

    it('keeps a dead letter open that the policy has passed over, for as long as it is the mark', async () => {
      const { one } = await open();
      const isOpen = () =>
        one.transaction(async ({ deadLetters }) => {
          await deadLetters.closeOf({ aggregateId: 'a' });
          return (await deadLetters.countOpen()).size > 0;
        });
      await one.transaction(async ({ deadLetters, marks, skips }) => {
        await deadLetters.record([deadLetter(delivery('a', 1), 'attempts-exhausted')]);
        await marks.move(new Map([['a', { version: 1, eventId: 'a1' }]]));
        await skips.record([{ identity: identity('a', 1), decidedBy: 'policy', reason: 'dead letter' }]);
      });
      expect(await isOpen()).toBe(true);
      await one.transaction(({ marks }) => marks.move(new Map([['a', { version: 2, eventId: 'a2' }]])));
      expect(await isOpen()).toBe(false);
    });

    it('opens the circuit breaker once for all, and gives its probe to one', async () => {
      const { one, other } = await open();
      const everyMs = 60_000;
      const inBoth = <Result>(work: (store: InboxStore) => Promise<Result>) => Promise.all([one, other].map(work));
      expect(await one.transaction(({ breaker }) => breaker.openedAt())).toBeUndefined();
      expect(await one.transaction(({ breaker }) => breaker.claimProbe(everyMs))).toBe(false);
      await one.transaction(({ breaker }) => breaker.open(0));
      await other.transaction(({ breaker }) => breaker.open(everyMs));
      const opened = await inBoth((store) => store.transaction(({ breaker }) => breaker.openedAt()));
      expect(opened[0]).toBeGreaterThan(0);
      expect(opened[1]).toBe(opened[0]);
      const claims = await inBoth((store) => store.transaction(({ breaker }) => breaker.claimProbe(everyMs)));
      expect(claims.toSorted()).toEqual([false, true]);
      await other.transaction(({ breaker }) => breaker.returnProbe());
      expect(await one.transaction(({ breaker }) => breaker.claimProbe(everyMs))).toBe(true);
      await one.transaction(({ breaker }) => breaker.close());
      expect(await other.transaction(({ breaker }) => breaker.openedAt())).toBeUndefined();
    });

    it('counts the dead letters that blame the handler, of the last while', async () => {
      const { one } = await open();
      await one.transaction(({ deadLetters }) =>
        deadLetters.record([
          deadLetter(delivery('a', 1), 'attempts-exhausted'),
          deadLetter(delivery('b', 1), 'unprocessable'),
          deadLetter(delivery('c', 1), 'invalid-event'),
          deadLetter(delivery('d', 1), 'unprocessable', false),
        ]),
      );
      expect(await one.transaction(({ breaker }) => breaker.countDeadLetters(60_000))).toBe(2);
      expect(await one.transaction(({ breaker }) => breaker.countDeadLetters(-60_000))).toBe(0);
    });

    it('remembers how far each partition was read, and what was missing', async () => {
      const { one } = await open();
      const position = { topic: 'things', partition: 0, next: 7n, end: 9_007_199_254_740_993n, newestMs: 50 };
      const missing = { topic: 'things', partition: 0, from: 1n, to: 6n, reason: 'deleted' };
      await one.transaction(async ({ positions }) => {
        await positions.store([position, { ...position, partition: 1 }]);
        await positions.store([{ ...position, next: 8n, newestMs: 40 }]);
        await positions.recordMissing(missing);
        await positions.recordMissing(missing);
      });
      await one.transaction(async ({ positions }) => {
        expect(await positions.read()).toEqual(
          expect.arrayContaining([
            { ...position, next: 8n },
            { ...position, partition: 1 },
          ]),
        );
        expect(await positions.openMissing()).toEqual({ count: 1, reasons: ['deleted'] });
        expect([await positions.everMissing('things'), await positions.everMissing('others')]).toEqual([
          ['deleted'],
          [],
        ]);
        await positions.forget([{ topic: 'things', partition: 0, low: 2n }]);
      });
      const stands = await one.transaction(({ positions }) => positions.read());
      expect(stands.find(({ partition }) => partition === 0)?.next).toBe(2n);
    });

    it('remembers the first meaning of a schema id, until an operator decides otherwise', async () => {
      const { schemas } = (await open()).one;
      const key = { eventType: 'Thing', schemaId: 7 };
      const learned = { ...key, fingerprint: 'f'.repeat(64), text: '"string"' };
      await schemas.remember(learned);
      await schemas.remember({ ...learned, fingerprint: '0'.repeat(64) });
      expect(await schemas.read()).toEqual([{ ...learned, decision: 'registry' }]);
      await schemas.decide({ ...key, decision: 'refused' });
      expect(await schemas.read()).toEqual([{ ...key, decision: 'refused' }]);
      await schemas.forget(key);
      expect(await schemas.read()).toEqual([]);
    });
  });
}

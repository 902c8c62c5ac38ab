import { expect, it } from 'vitest';
import { firstPlace, type InboxStore } from '../../../src/store/store.ts';
import { deadLetter, delivery, identity, type OpenStores } from './samples.ts';

/** The index of dead letters, and the circuit breaker that counts them. */
export function testDeadLetters(open: OpenStores): void {
  it('closes a dead letter when its mark has passed it, and opens it again for a copy unless it was dismissed', async () => {
    const { one, dismiss } = await open();
    const open_ = () => one.transaction(({ deadLetters }) => deadLetters.countOpen());
    const exhausted = (version: number) => deadLetter(delivery('a', version), 'attempts-exhausted');
    await one.transaction(async ({ deadLetters, marks }) => {
      await marks.move(new Map([['a', { version: 1, eventId: 'a1' }]]));
      await deadLetters.record([exhausted(1), exhausted(2)]);
      await deadLetters.record([deadLetter(delivery('a', 1, 'other'), 'conflict')]);
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
    await dismiss('other');
    await one.transaction(async ({ deadLetters }) => {
      await deadLetters.record([exhausted(1), deadLetter(delivery('a', 1, 'other'), 'conflict')]);
    });
    expect(await open_()).toEqual(
      new Map([
        ['attempts-exhausted', 2],
        ['no-identity', 1],
      ]),
    );
    await one.transaction(({ deadLetters }) => deadLetters.closeOf({ id: 'a1' }));
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
      await skips.record([
        { identity: identity('a', 1), decidedBy: 'policy', reason: 'dead letter' },
      ]);
    });
    expect(await isOpen()).toBe(true);
    await one.transaction(({ marks }) =>
      marks.move(new Map([['a', { version: 2, eventId: 'a2' }]])),
    );
    expect(await isOpen()).toBe(false);
  });

  it('opens the circuit breaker once for all, and gives its probe to one', async () => {
    const { one, other } = await open();
    const everyMs = 60_000;
    const inBoth = <Result>(work: (store: InboxStore) => Promise<Result>) =>
      Promise.all([one, other].map(work));
    expect(await one.transaction(({ breaker }) => breaker.openedAt())).toBeUndefined();
    expect(await one.transaction(({ breaker }) => breaker.claimProbe(everyMs))).toBe(false);
    await one.transaction(({ breaker }) => breaker.open(0));
    await other.transaction(({ breaker }) => breaker.open(everyMs));
    const opened = await inBoth((store) => store.transaction(({ breaker }) => breaker.openedAt()));
    expect(opened[0]).toBeGreaterThan(0);
    expect(opened[1]).toBe(opened[0]);
    const claims = await inBoth((store) =>
      store.transaction(({ breaker }) => breaker.claimProbe(everyMs)),
    );
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
}

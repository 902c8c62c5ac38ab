import { expect, it } from 'vitest';
import type { InboxStore } from '../../../src/store/store.ts';
import { delivery, type OpenStores } from './samples.ts';

const write = (store: InboxStore, effect: string) =>
  store.transaction(({ effects }) =>
    effects.manager.query('INSERT INTO effect (text) VALUES (?)', [effect]),
  );

/** Marks, savepoints and what a commit holds together. */
export function testTransactions(open: OpenStores): void {
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
    expect(await other.transaction(({ marks }) => marks.find('a'))).toEqual({
      version: 1,
      eventId: 'a1',
    });
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
}

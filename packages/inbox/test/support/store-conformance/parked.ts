import { must } from '@board/service';
import { expect, it } from 'vitest';
import type { Delivery, ParkedDelivery } from '../../../src/record.ts';
import type { InboxStore } from '../../../src/store/store.ts';
import { delivery, identity, type OpenStores } from './samples.ts';

const parkedRow = async (
  store: InboxStore,
  aggregateId: string,
  version: number,
): Promise<ParkedDelivery> => {
  const row = await store.transaction(({ parked }) => parked.find(aggregateId, version));
  return must(row, `parked row ${aggregateId}/${version}`);
};

const idsOf = (deliveries: readonly Delivery[]) => deliveries.map((one) => one.identity.eventId);

/** Events that wait for their turn, and versions that were skipped. */
export function testParkedAndSkips(open: OpenStores): void {
  it('parks each event once, gives it back to the byte, and names another event that claims its place', async () => {
    const { one } = await open();
    const other = delivery('a', 2, 'other');
    await one.transaction(async ({ parked }) => {
      expect(await parked.add([delivery('a', 2), delivery('a', 3)])).toEqual([]);
      expect(await parked.add([delivery('a', 2), other])).toEqual([other]);
    });
    await one.transaction(async ({ parked }) => {
      const parkedAtMs = expect.any(Number) as number;
      expect(await parked.find('a', 2)).toEqual({
        ...delivery('a', 2),
        takenFrom: 'parked',
        parkedAtMs,
      });
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
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map((version) => parkedRow(one, 'a', version)),
    );
    if (!first || !second || !third) throw new Error('three rows');
    await other.transaction(({ parked }) =>
      parked.add([delivery('a', 2), { ...delivery('a', 3), attempt: 4 }]),
    );
    await one.transaction(({ parked }) => parked.remove([first, second, third]));
    expect(idsOf(await one.transaction(({ parked }) => parked.next('a', 10)))).toEqual([]);
    expect(await parkedRow(one, 'a', 2)).toEqual({ ...second, parkedAtMs: second.parkedAtMs + 1 });
    expect(await parkedRow(one, 'a', 3)).toEqual({
      ...third,
      attempt: 4,
      parkedAtMs: third.parkedAtMs + 1,
    });
    // Another event that claims the place leaves the row as it is; a lower attempt does not count
    // back.
    await other.transaction(({ parked }) => parked.add([delivery('a', 2, 'another event')]));
    await other.transaction(({ parked }) => parked.add([{ ...delivery('a', 3), attempt: 1 }]));
    expect((await parkedRow(one, 'a', 2)).parkedAtMs).toBe(second.parkedAtMs + 1);
    const again = await parkedRow(one, 'a', 3);
    expect(again.attempt).toBe(4);
    await one.transaction(({ parked }) => parked.remove([again]));
    expect(await one.transaction(({ parked }) => parked.find('a', 3))).toBeUndefined();
  });

  it('merges two copies of a parked event: a replay replaces a skip marker, not the other way', async () => {
    const { one, other } = await open();
    const plain = (version: number): Delivery => ({
      ...delivery('a', version),
      replayed: false,
      firstFailedAtMs: undefined,
    });
    const marker = (version: number): Delivery => ({
      ...plain(version),
      kind: 'skip-marker',
      firstFailedAtMs: 9,
    });
    await one.transaction(({ parked }) => parked.add([marker(2), plain(3)]));
    await other.transaction(({ parked }) => parked.add([delivery('a', 2), marker(3)]));
    expect(await parkedRow(one, 'a', 2)).toMatchObject({
      kind: 'event',
      replayed: true,
      firstFailedAtMs: 9,
    });
    expect(await parkedRow(one, 'a', 3)).toMatchObject({
      kind: 'event',
      replayed: false,
      firstFailedAtMs: 9,
    });
    await other.transaction(({ parked }) => parked.add([plain(2)]));
    expect(await parkedRow(one, 'a', 2)).toMatchObject({ kind: 'event', replayed: true });
  });

  it('remembers skips by their first decision, and finds those that a replay may still apply', async () => {
    const { one } = await open();
    await one.transaction(async ({ marks, skips }) => {
      await marks.move(new Map([['a', { version: 2, eventId: 'a2' }]]));
      await skips.record([
        { identity: identity('a', 1), decidedBy: 'hand', reason: 'by hand' },
        { identity: identity('a', 2), decidedBy: 'policy', reason: 'dead letter' },
        { identity: identity('a', 3), decidedBy: 'policy', reason: 'before a rebuild' },
      ]);
      await skips.record([{ identity: identity('a', 1), decidedBy: 'policy', reason: 'again' }]);
      const all = [
        identity('a', 1),
        identity('a', 2),
        identity('a', 2, 'another event'),
        identity('a', 3),
      ];
      expect(await skips.findReopened(all)).toEqual([identity('a', 2), identity('a', 3)]);
      expect(await skips.findAhead()).toEqual([identity('a', 3)]);
      await skips.forget([identity('a', 2)]);
      expect(await skips.findReopened(all)).toEqual([identity('a', 3)]);
    });
  });
}

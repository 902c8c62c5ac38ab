import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutPage } from './cut-page.ts';

const half = 256 * 1024;
const rows = (...bytes: (number | string)[]) =>
  bytes.map((size, n) => ({ id: `${n}`, bytes: size }));

it('a page holds as many rows as were asked for, and says whether more were found', () => {
  expect(cutPage(rows(1, 1, 1), 2)).toEqual({ ids: ['0', '1'], next: '1' });
  expect(cutPage(rows(1, 1), 2)).toEqual({ ids: ['0', '1'], next: null });
  expect(cutPage([], 2)).toEqual({ ids: [], next: null });
});

it('a page ends before the row that would make it too large, also with sizes as text', () => {
  expect(cutPage(rows(half, `${half}`, 1), 9)).toEqual({ ids: ['0', '1'], next: '1' });
  expect(cutPage(rows(1, 1, 1, 2 * half), 9)).toEqual({ ids: ['0', '1', '2'], next: '2' });
});

it('a page holds one row of any size', () => {
  expect(cutPage(rows(99 * half, 1), 9)).toEqual({ ids: ['0'], next: '0' });
});

it('cutPage refuses a size that is no number: a page would have no limit', () => {
  expect(() => cutPage([{ id: 'a', bytes: 'x' }], 9)).toThrow(
    'the size of row a must be there, got NaN',
  );
});

it('a client that pages on sees every row once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3 * half)), fc.integer({ min: 1, max: 9 }), (sizes, limit) => {
      const all = rows(...sizes);
      const seen: string[] = [];
      for (let next: string | null = '-1'; next !== null;) {
        const from = Number(next) + 1;
        const cut = cutPage(all.slice(from, from + limit + 1), limit);
        seen.push(...cut.ids);
        next = cut.next;
      }
      expect(seen).toEqual(all.map(({ id }) => id));
    }),
  );
});

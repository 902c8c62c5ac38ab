import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boardCursor } from './board-cursor.ts';

test('reads back EVERY id', () => {
  fc.assert(
    fc.property(fc.uuid(), (id) => {
      expect(boardCursor.read(boardCursor.of(id))).toBe(id);
    }),
  );
});

test('what it did not make itself is NO cursor', () => {
  const made = boardCursor.of('019b0000-0000-7000-8000-000000000001');
  const bad = fc.oneof(
    fc.string(),
    fc.string().map((text) => made + text),
    fc.nat(21).map((end) => made.slice(0, end)),
  );
  fc.assert(
    fc.property(bad, (text) => {
      fc.pre(text !== made);
      const id = boardCursor.read(text);
      expect(id === undefined || boardCursor.of(id) === text).toBe(true);
    }),
  );
  // Ends in bits that do not count, which a lenient reader would drop.
  expect(boardCursor.read(`${made.slice(0, -1)}R`)).toBeUndefined();
  for (const text of ['', `${made}=`, ` ${made}`, `${made.slice(0, -1)}+`])
    expect(boardCursor.read(text)).toBeUndefined();
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEntityTags } from './entity-tags.ts';

/** As Node hands over headers: one character per byte. */
const tagCharacter = fc
  .integer({ min: 0x21, max: 0xff })
  .filter((code) => code !== 0x22 && code !== 0x7f)
  .map((code) => String.fromCodePoint(code));
const value = fc.string({ unit: tagCharacter, maxLength: 20 });
const tags = fc.array(fc.record({ weak: fc.boolean(), value }), { minLength: 1, maxLength: 10 });
const comma = fc.constantFrom(',', ', ', ' , ', ',,', ' ,\t, ');

test('parseEntityTags reads back any list of tags, wherever its commas are', () => {
  fc.assert(
    fc.property(tags, comma, comma, (list, between, after) => {
      const header = list.map(({ weak, value }) => `${weak ? 'W/' : ''}"${value}"`).join(between);
      expect(parseEntityTags(header)).toEqual(list);
      expect(parseEntityTags(`,${header}${after}`)).toEqual(list);
    }),
  );
});

test('a star alone stands for every tag', () => {
  expect(parseEntityTags(' * ')).toBe('*');
  for (const bad of ['*, *', '"1", *', '*"1"']) expect(parseEntityTags(bad)).toBeUndefined();
});

test.each([
  '',
  ' ',
  ',',
  '1',
  '"1',
  '1"',
  '"1" "2"',
  '"1"2',
  'w/"1"',
  'W/ "1"',
  'W/1',
  '"a b"',
  '"a"b"',
  '""x',
])('refuses %j', (header) => {
  expect(parseEntityTags(header)).toBeUndefined();
});

test('any header gives tags that stand in it, or is refused', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', ',', ' ', 'W', '/', '*', 'a', '\t', '\\') }),
      (header) => {
        const read = parseEntityTags(header);
        if (read === undefined || read === '*') return;
        expect(read.length).toBeGreaterThan(0);
        for (const { weak, value } of read)
          expect(header).toContain(`${weak ? 'W/' : ''}"${value}"`);
      },
    ),
  );
});

test('the longest headers are refused at once', () => {
  const begin = performance.now();
  for (const piece of [',', ' ', 'W/', '"', '"a', ' "', ', '])
    parseEntityTags(piece.repeat(16_384 / piece.length) + 'x');
  expect(performance.now() - begin).toBeLessThan(200);
});

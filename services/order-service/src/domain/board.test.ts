import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkBoardText, type BoardText } from './board.ts';

const fine: BoardText = { title: 'Title', content: 'Content', author: null };
const brokenFields = (change: Partial<BoardText>) =>
  checkBoardText({ ...fine, ...change }).map(({ field }) => field);

const anyCharacter = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 1 })
  .filter((text) => text !== '\0');

test('a board takes any well-formed text within the limits', () => {
  const upTo = (maxLength: number, minLength = 0) =>
    fc.array(anyCharacter, { minLength, maxLength }).map((characters) => characters.join(''));
  const text = fc.record({
    title: upTo(200, 1),
    content: upTo(2_000),
    author: fc.option(upTo(100, 1)),
  });
  fc.assert(
    fc.property(text, (given) => {
      expect(checkBoardText(given)).toEqual([]);
    }),
  );
});

test.each([
  ['200 ASCII characters', 'a', 200, []],
  ['201 ASCII characters', 'a', 201, ['title']],
  ['200 emoji, which are 400 UTF-16 units', '😀', 200, []],
  ['201 emoji', '😀', 201, ['title']],
  ['no character', 'a', 0, ['title']],
])('the title is checked when it has %s', (_, character, count, broken) => {
  expect(brokenFields({ title: character.repeat(count) })).toEqual(broken);
});

test.each([
  ['65,536 bytes of ASCII', 'a', 65_536, []],
  ['65,537 bytes of ASCII', 'a', 65_537, ['content']],
  ['65,535 bytes of Korean', '한', 21_845, []],
  ['65,538 bytes of Korean', '한', 21_846, ['content']],
  ['no text', '', 0, []],
])('the content is checked when it has %s', (_, character, count, broken) => {
  expect(brokenFields({ content: character.repeat(count) })).toEqual(broken);
});

test('an author has 1 to 100 characters, or is null', () => {
  expect(brokenFields({ author: '😀'.repeat(100) })).toEqual([]);
  expect(brokenFields({ author: '😀'.repeat(101) })).toEqual(['author']);
  expect(brokenFields({ author: '' })).toEqual(['author']);
  expect(brokenFields({ author: null })).toEqual([]);
});

test('NUL and a lone surrogate are refused anywhere in any field', () => {
  const field = fc.constantFrom('title', 'content', 'author');
  const bad = fc.constantFrom('\0', '\ud800', '\udfff', '\udc00\ud800');
  const around = fc.string({ unit: 'grapheme', maxLength: 20 });
  fc.assert(
    fc.property(field, around, bad, around, (name, before, middle, after) => {
      expect(brokenFields({ [name]: before + middle + after })).toEqual([name]);
    }),
  );
});

test('all broken rules are reported', () => {
  const text = { title: '', content: `\0${'a'.repeat(65_536)}`, author: 'a'.repeat(101) };
  expect(checkBoardText(text)).toEqual([
    { field: 'title', wants: '1 to 200 characters' },
    { field: 'content', wants: 'at most 65536 bytes of UTF-8' },
    { field: 'author', wants: '1 to 100 characters, or no author' },
    { field: 'content', wants: 'no NUL and no half of a surrogate pair' },
  ]);
});

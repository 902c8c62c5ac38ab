import { expect, it, test } from 'vitest';
import { must, printable } from './errors.ts';

test.each([undefined, null, Number(undefined), Number('16M')])('must throws for %s', (value) => {
  expect(() => must(value, 'the limit')).toThrow(`the limit must be there, got ${String(value)}`);
});

test.each([0, '', false, 1n, Infinity])('must returns %s', (value) => {
  expect(must(value, 'the limit')).toBe(value);
});

it('printable escapes what could rewrite a terminal, and nothing else', () => {
  expect(printable('TRUNCATE TABLE url /* \x1b[2J\r\b\x9b31m */')).toBe(
    'TRUNCATE TABLE url /* \\u001b[2J\\u000d\\u0008\\u009b31m */',
  );
  expect(printable('\u202eSQL \u{e0041}')).toBe('\\u202eSQL \\udb40\\udc41');
  const text = 'Straße 게시판 👍\n\tat x';
  expect(printable(text)).toBe(text);
  expect(JSON.parse(printable(JSON.stringify('\u009b')))).toBe('\u009b');
});

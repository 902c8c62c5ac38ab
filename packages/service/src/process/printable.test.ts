import { expect, it } from 'vitest';
import { printable } from './printable.ts';

it('nothing that others wrote can rewrite a terminal, and the rest stays as it is', () => {
  expect(printable('TRUNCATE TABLE url /* \x1b[2J\r\b\x9b31m */')).toBe(
    'TRUNCATE TABLE url /* \\u001b[2J\\u000d\\u0008\\u009b31m */',
  );
  expect(printable('\u202eSQL \u{e0041}')).toBe('\\u202eSQL \\udb40\\udc41');
  const text = 'Straße 게시판 👍\n\tat x';
  expect(printable(text)).toBe(text);
  expect(JSON.parse(printable(JSON.stringify('\u009b')))).toBe('\u009b');
});

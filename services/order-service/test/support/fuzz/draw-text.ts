import fc, { type Arbitrary } from 'fast-check';
import type { Schema } from './api.ts';

/** A text that fits its schema, now and then one as long as can be. */
export function fitText({ minLength = 0, maxLength = 100 }: Schema): Arbitrary<string> {
  const long = fc
    .constantFrom(...(maxLength <= 1_000 ? ['x', '가', '😀'] : ['x']))
    .map((one) => one.repeat(maxLength));
  return fc.oneof(
    {
      weight: 30,
      arbitrary: fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 20) }),
    },
    { weight: 1, arbitrary: long },
  );
}

/** A text that no field of a board takes: too long by one, or not to be stored. */
export function unfitText({ maxLength = 100 }: Schema): Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom('x', '😀').map((one) => one.repeat(maxLength + 1)),
    fc.constantFrom('\ud800', 'a\udc00', '\udbff\ud83d\ude00', '\0', 'a\0b'),
  );
}

/** The text of a header, in the bytes that HTTP allows. */
export const headerText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    ',',
    '"',
    '""',
    '*',
    '*, "1"',
    'W/"1"',
    '"1',
    '1',
    '\\',
    'null',
    'a, b',
    ';',
    '\t',
  ),
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCodePoint(code)),
  }),
  fc.constantFrom('"1",', ' ,\t', 'x', '"', 'W/', '\\"').map((part) => part.repeat(1_500)),
);

/** A part of a path or query, with every trick of percent-encoding. */
export const encodedText: Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme' }).map(encodeURIComponent),
  fc.constantFrom(
    '%',
    '%f',
    '%ff',
    '%C0%80',
    '%ED%A0%80',
    '%00',
    '%0d%0aX:%20y',
    '%u0041',
    '%25',
    '%2525',
    '+',
    '%2b',
  ),
  fc.constantFrom(
    '..',
    '%2e%2e',
    '%2f',
    '%5c',
    '..%2f..%2fetc%2fpasswd',
    ';',
    '[',
    '{id}',
    ':id',
    '*',
    "'%20OR%201=1--",
  ),
  fc.constantFrom('x', '%41', '%F0%9F%98%80').map((part) => part.repeat(900)),
);

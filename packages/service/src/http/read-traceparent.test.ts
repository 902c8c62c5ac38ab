import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTraceparent } from './observe-requests.ts';

const valid = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const trace = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';

test('a valid traceparent is kept byte for byte', () => {
  fc.assert(
    fc.property(hex(32), hex(16), hex(2), (traceId, parentId, flags) => {
      const header = `00-${traceId}-${parentId}-${flags}`;
      fc.pre(valid.test(header));
      expect(readTraceparent(header)).toBe(header);
    }),
  );
});

test('a traceparent of a later version is read as far as version 00 defines it', () => {
  expect(readTraceparent(`cc-${trace}-01`)).toBe(`00-${trace}-01`);
  expect(readTraceparent(`01-${trace}-00-what-the-future-brings`)).toBe(`00-${trace}-00`);
});

test.each([
  '',
  'nonsense',
  `ff-${trace}-01`,
  `00-${trace}-01-more`,
  `00-${trace}-01, 00-${trace}-01`,
  `00-${trace.toUpperCase()}-01`,
  `01-${trace}-01x`,
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
])('instead of %j a new one is made, sampled', (header) => {
  const made = readTraceparent(header);
  expect(made).toMatch(valid);
  expect(made).toMatch(/-01$/);
  expect(header).not.toContain(made.slice(3, 35));
  expect(readTraceparent(header)).not.toBe(made);
});

test('the result is valid for any header', () => {
  const header = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.?$/),
  );
  fc.assert(
    fc.property(header, (given) => {
      expect(readTraceparent(given)).toMatch(valid);
    }),
  );
});

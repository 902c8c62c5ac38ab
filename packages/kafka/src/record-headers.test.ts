import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readHeaders, writeHeaders } from './record-headers.ts';

const header = fc.tuple(
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('constructor', '__proto__', '0', '')),
  fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))),
);

it('readHeaders reads back what writeHeaders wrote, with any names and values', () => {
  fc.assert(
    fc.property(fc.array(header, { maxLength: 40 }), (headers) => {
      const written = writeHeaders(headers);
      expect(readHeaders(written.bytes)).toEqual(written);
      expect(written.problem).toBeUndefined();
    }),
  );
});

it('readHeaders never throws, with any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const { entries, problem } = readHeaders(Buffer.from(bytes));
      expect(problem === undefined || entries.length === 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it('readHeaders reads a thousand headers and no more', () => {
  const headers = (count: number) =>
    writeHeaders(Array.from({ length: count }, (_, n) => [String(n), ''] as const));
  expect(readHeaders(headers(1_000).bytes).entries).toHaveLength(1_000);
  expect(readHeaders(headers(1_001).bytes).problem).toBe(
    'the record has 1001 headers, at most 1000 are read',
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame, readFrame, schemaIdOf } from './framing.ts';

test('a frame is a zero byte, the id in four bytes and the payload', () => {
  expect([...frame(0x01020304, Buffer.from([9, 8]))]).toEqual([0, 1, 2, 3, 4, 9, 8]);
});

test('readFrame returns the id and payload of every frame', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.uint8Array(),
      (schemaId, bytes) => {
        const value = frame(schemaId, Buffer.from(bytes));
        expect(readFrame(value)).toEqual({ kind: 'framed', schemaId, payload: Buffer.from(bytes) });
        expect(schemaIdOf(value)).toBe(schemaId);
      },
    ),
  );
});

test.each([
  ['an empty value', Buffer.alloc(0), 'the value has 0 bytes, an Avro record has at least 5'],
  [
    'a head that is cut',
    Buffer.from([0, 0, 0, 1]),
    'the value has 4 bytes, an Avro record has at least 5',
  ],
  [
    'another first byte',
    Buffer.from([7, 0, 0, 0, 1, 2]),
    "the value's first byte is 7, with Confluent framing it must be 0",
  ],
])('%s is no frame, and the problem says why', (_what, value, problem) => {
  expect(readFrame(value)).toEqual({ kind: 'not-framed', problem });
  expect(schemaIdOf(value)).toBeUndefined();
});

test('a null value has no schema', () => {
  expect(schemaIdOf(null)).toBeUndefined();
});

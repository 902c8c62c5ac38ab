import { expect, it } from 'vitest';
import { decodeHeaders, encodeHeaders } from './stored-headers.ts';

it('gives back every header exactly: bytes, null, repeated and empty ones', () => {
  const headers = {
    id: Buffer.from([0, 255, 10]),
    none: null,
    many: [Buffer.from('a'), Buffer.from('b')],
    empty: Buffer.alloc(0),
  };
  expect(decodeHeaders(encodeHeaders(headers))).toEqual(headers);
});

import { writeHeaders } from '@board/kafka';
import { expect, it } from 'vitest';
import { readStoredHeaders } from './parked-row.ts';

const headers = writeHeaders([
  ['id', 'e1'],
  ['constructor', Buffer.from([0xff, 0x00])],
  ['traceparent', null],
  ['tag', 'a'],
  ['tag', 'b'],
]);

it('gives back the headers of a parked row byte for byte', () => {
  expect(readStoredHeaders(headers.bytes)).toEqual(headers);
});

it('reads the rows that an earlier version has parked', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const json = JSON.stringify([
    ['id', [base64('e1')], false],
    ['traceparent', [null], false],
    ['tag', [base64('a'), base64('b')], true],
  ]);
  expect(readStoredHeaders(Buffer.from(json)).entries).toEqual([
    ['id', Buffer.from('e1')],
    ['traceparent', null],
    ['tag', Buffer.from('a')],
    ['tag', Buffer.from('b')],
  ]);
});

it('refuses a damaged row', () => {
  expect(() => readStoredHeaders(Buffer.from('damaged'))).toThrow('damaged');
});

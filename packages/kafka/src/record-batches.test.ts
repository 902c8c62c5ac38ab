import { expect, it } from 'vitest';
import { readRecordBatches } from './record-batches.ts';

/**
 * A batch of the brokers' format without compression, its records with these offset deltas and no
 * headers.
 */
function batch(base: number, lastDelta: number, deltas: readonly number[]): Buffer {
  // Attributes, timestamp delta, offset delta, no key, no value, no headers; small numbers are one
  // zigzag byte.
  const records = deltas.map((delta) => {
    const body = Buffer.concat([Buffer.from([0, 0]), zigzag(delta), Buffer.from([1, 1, 0])]);
    return Buffer.concat([zigzag(body.length), body]);
  });
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(base), 0);
  head.writeInt32BE(49 + records.reduce((sum, { length }) => sum + length, 0), 8);
  head.writeInt8(2, 16);
  head.writeInt32BE(lastDelta, 23);
  head.writeInt32BE(deltas.length, 57);
  return Buffer.concat([head, ...records]);
}

function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const read = async (...batches: readonly Buffer[]) =>
  (await readRecordBatches(Buffer.concat(batches))).map(({ kind, offset }) => `${kind} ${offset}`);

it('readRecordBatches reads records at their offsets, and passes what compaction took', async () => {
  expect(await read(batch(100, 4, [0, 1, 3]))).toEqual([
    'record 100',
    'record 101',
    'record 103',
    'passed 104',
  ]);
});

it('readRecordBatches takes no offset outside its batch, nor one twice: other records would be passed over', async () => {
  expect(await read(batch(100, 1, [600, 1]), batch(102, 0, [0]))).toEqual([
    'undecodable 101',
    'record 102',
  ]);
  expect(await read(batch(100, 1, [-3, 1]))).toEqual(['undecodable 101']);
  expect(await read(batch(100, 1, [1, 1]))).toEqual(['undecodable 101']);
});

it('readRecordBatches leaves a batch that is cut off for the next fetch', async () => {
  expect(await read(batch(100, 0, [0]), batch(101, 0, [0]).subarray(0, 63))).toEqual([
    'record 100',
  ]);
});

import { expect, it } from 'vitest';
import { countTransactions } from './index.ts';

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

it.each([
  ['', 0],
  [`${uuid}:7`, 1],
  [`${uuid}:1-5:11-12,\n7d11fa47-71ca-11e1-9e33-c80aa9429562:3`, 8],
  [`${uuid}:1-3:tag:1-2:5`, 6],
  // A server whose UUID begins like a number.
  ['11111111-1111-1111-1111-111111111111:1-2', 2],
])('%s names %i', (gtids, count) => {
  expect(countTransactions(gtids)).toBe(count);
});

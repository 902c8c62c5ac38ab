import { expect, test } from 'vitest';
import { parseMemory, readMemory } from './stack-state.ts';

test('the proportional set size is read in bytes', () => {
  expect(
    parseMemory(
      '55d0-7fff ---p 00000000 00:00 0 [rollup]\nRss:   2048 kB\nPss:   1024 kB\nPss_Anon: 1 kB\n',
    ),
  ).toBe(1024 * 1024);
});

test('this process has some memory, one that is gone has no figure', () => {
  expect(readMemory(process.pid)).toBeGreaterThan(1024 * 1024);
  expect(readMemory(2 ** 22 + 1)).toBeUndefined();
});

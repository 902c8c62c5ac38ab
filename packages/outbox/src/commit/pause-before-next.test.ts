import { expect, it } from 'vitest';
import { pauseBeforeNext } from './pause-before-next.ts';

const limits = { transactions: 2, batchRows: 200, patienceMs: 25 };
const pause = (transactions: number, commands: number, sinceMs: number, waiting: number): number =>
  pauseBeforeNext({ transactions, commands, sinceMs }, waiting, limits);

it.each([
  ['a lone command begins at once', 0, 0, 0, 1, 0],
  ['two clients do not wait for each other', 1, 1, 0, 1, 0],
  ['fewer than are running wait for more', 1, 30, 10, 29, 15],
  ['as many as are running begin', 1, 30, 10, 30, 0],
  ['a full batch begins', 1, 500, 10, 200, 0],
  ['a slow transaction is not waited for longer than that', 1, 30, 25, 1, 0],
  ['nor is the time ever negative', 1, 30, 900, 1, 0],
  ['there is an end to transactions at once', 2, 2, 900, 200, Number.POSITIVE_INFINITY],
])('%s', (_, transactions, commands, sinceMs, waiting, expected) => {
  expect(pause(transactions, commands, sinceMs, waiting)).toBe(expected);
});

import { expect, test } from 'vitest';
import type { Attempt } from './history.ts';
import { isFinal, outcomeOf } from './outcome.ts';

const board = {
  id: 'b',
  version: 1,
  title: 't',
  content: '',
  author: null,
  createdAt: 1,
  updatedAt: 1,
};
const answered = (status: number, detail: string | null = null) =>
  ({ kind: 'answered', status, detail, digest: '' }) as const;
const failed = (error: string) => ({ kind: 'failed', error }) as const;
const notDone = answered(503, 'The database is away. So it was not done.');

const after = (...results: readonly Attempt['result'][]) =>
  outcomeOf(
    results.map((result, at) => ({ sentAt: at, endedAt: at, result })),
    board,
  );

test('an answer with success means that it was done, after any earlier answers', () => {
  expect(after(failed('ECONNRESET'), answered(503), answered(201))).toEqual({ kind: 'ok', board });
});

test('an answer that a repeat would get again means that it was refused', () => {
  for (const status of [400, 404, 410, 412, 422])
    expect(after(failed('TimeoutError'), answered(status))).toEqual({ kind: 'refused', status });
});

test('attempts of which none can have been done are refused', () => {
  expect(after(failed('ECONNREFUSED'), notDone)).toEqual({ kind: 'refused', status: 503 });
  expect(after(failed('ECONNREFUSED'))).toEqual({ kind: 'refused', status: null });
});

test.for([
  failed('ECONNRESET'),
  failed('TimeoutError'),
  answered(500),
  answered(503, 'Whether it succeeded is not known.'),
  answered(409),
  null,
])('one attempt that may have been done leaves the outcome unknown: %o', (result) => {
  expect(after(failed('ECONNREFUSED'), result)).toEqual({ kind: 'unknown' });
  expect(after(result, notDone)).toEqual({ kind: 'unknown' });
});

test('a command is repeated until its answer is final', () => {
  const repeated = [
    failed('ECONNREFUSED'),
    answered(500),
    notDone,
    answered(409),
    answered(408),
    answered(425),
    answered(429),
  ];
  expect(repeated.map(isFinal)).toEqual(repeated.map(() => false));
  expect([answered(201), answered(204), answered(404), answered(412)].map(isFinal)).toEqual([
    true,
    true,
    true,
    true,
  ]);
});

import { describe, expect, it } from 'vitest';
import { createIsolation, type Isolation } from './isolate.ts';

const error = new TypeError('planted at 17');

function failUntilSpent(isolation: Isolation, records: number, cause: Error = error): number {
  let waitedMs = 0;
  for (;;) {
    const step = isolation.failed({ error: cause, records, offset: '5', controls: 0 });
    if (step.kind !== 'read-again') return waitedMs;
    waitedMs += step.waitMs;
  }
}

describe('an error that no table knows', () => {
  it('is read again for the whole time, no longer, before anything is decided', () => {
    expect(failUntilSpent(createIsolation(60_000, 5_000, Math.random), 500)).toBe(60_000);
  });

  it('costs that time once, whatever numbers its message names', () => {
    const isolation = createIsolation(60_000, 5_000, Math.random);
    failUntilSpent(isolation, 500);
    expect(failUntilSpent(isolation, 500, new TypeError('planted at 4711'))).toBe(0);
    expect(failUntilSpent(isolation, 500, new RangeError('planted at 17'))).toBe(60_000);
  });

  it('halves the records until one fails alone', () => {
    const isolation = createIsolation(0, 5_000, Math.random);
    const sizes: (number | undefined)[] = [];
    let records = 500;
    while (isolation.failed({ error, records, offset: '5', controls: 0 }).kind === 'halve') {
      records = isolation.size() ?? 0;
      sizes.push(records);
    }
    expect(sizes).toEqual([250, 125, 63, 32, 16, 8, 4, 2, 1]);
  });

  it('blames a record only for a failure after another record was processed', () => {
    const isolation = createIsolation(0, 5_000, Math.random);
    const alone = (controls: number) =>
      isolation.failed({ error, records: 1, offset: '5', controls }).kind;
    expect([alone(7), alone(7), alone(8)]).toEqual(['seek-control', 'seek-control', 'dead-letter']);
  });

  it('asks for a control of its own for each record', () => {
    const isolation = createIsolation(0, 5_000, Math.random);
    const alone = (offset: string, controls: number) =>
      isolation.failed({ error, records: 1, offset, controls }).kind;
    expect([alone('5', 7), alone('5', 8), alone('6', 8)]).toEqual([
      'seek-control',
      'dead-letter',
      'seek-control',
    ]);
  });

  it('lets the size grow back with each success', () => {
    const isolation = createIsolation(0, 5_000, Math.random);
    isolation.failed({ error, records: 4, offset: '5', controls: 0 });
    const sizes = Array.from({ length: 10 }, () => {
      isolation.succeeded();
      return isolation.size();
    });
    expect(sizes).toEqual([4, 8, 16, 32, 64, 128, 256, 512, undefined, undefined]);
  });
});

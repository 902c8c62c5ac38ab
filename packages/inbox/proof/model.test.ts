import { describe, expect, it } from 'vitest';
import type { PlantedBug } from '../src/testing/model/model.ts';
import { runSchedule } from '../src/testing/model/run-schedule.ts';

const full = process.env['TIER'] === 'full';
const seed = process.env['SEED'];
const firstSeed = Number(seed ?? 1);
const schedules = seed === undefined ? (full ? 20_000 : 2_000) : 1;

/** The first seed whose schedule violates an invariant, with what it violates; SEED=<n> runs that one alone, told step by step. */
function search(count: number, bug?: PlantedBug): string | undefined {
  const lines: string[] = [];
  const log = seed === undefined ? undefined : (line: string) => void lines.push(line);
  for (let current = firstSeed; current < firstSeed + count; current += 1) {
    const violation = runSchedule(current, { ...(bug ? { bug } : {}), ...(log ? { log } : {}) });
    if (violation) return [...lines, `SEED=${current}: ${violation.message}`].join('\n');
  }
  return undefined;
}

describe('marks, parking, retries, dead letters, replay and skip, in any order of steps, crashes and copies', () => {
  it(`lose nothing, repeat nothing, overtake nothing in ${schedules} schedules`, { timeout: 120_000 }, () => {
    const startedAt = performance.now();
    expect(search(schedules)).toBeUndefined();
    const seconds = (performance.now() - startedAt) / 1_000;
    process.stderr.write(`model: ${schedules} schedules, ${Math.round(schedules / seconds)} a second\n`);
  });
});

describe.skipIf(seed !== undefined)('the model', () => {
  it('comes through everything that it is about', () => {
    const lines = new Set<string>();
    for (let current = 1; current <= 200; current += 1)
      runSchedule(current, { log: (line) => void lines.add(line.replace(/\b[abc]\d\b/, 'EVENT')) });
    expect([...lines]).toEqual(
      expect.arrayContaining([
        'a process dies',
        'applied EVENT from source, attempt 1',
        'applied EVENT from retry, attempt 3',
        'applied EVENT from parked, attempt 1',
        'failed EVENT, attempt 3',
        'stored EVENT in group.retry.2',
        'stored EVENT in group.dlq',
        'skipped EVENT',
        'skipped EVENT by hand',
        'replayed EVENT',
      ]),
    );
  });
});

describe.skipIf(seed !== undefined)('the model catches', () => {
  it.each<PlantedBug>([
    'park-without-lock',
    'offset-before-transaction',
    'passed-rows-stay-parked',
    'publish-after-offset',
    'marks-in-memory',
    'judged-before-its-turn',
  ])('%s', (bug) => {
    expect(search(2_000, bug)).toMatch(/^SEED=\d+: (I\d|stuck)/);
  });
});

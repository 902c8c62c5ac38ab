import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { layOutVersion } from '../../../../test/upgrade/lay-out-version.ts';
import { findViolation } from './find-violation.ts';
import { plantNames, plants } from './plants.ts';
import { simulate } from './simulate.ts';

const schedules = process.env['TIER'] === 'full' ? 20_000 : 2_000;
const seed = Number(process.env['SEED'] ?? 1);

describe('marks, parking, retries, dead letters, replay and skip, in any order of steps, crashes and copies', () => {
  it(
    `lose nothing, repeat nothing, overtake nothing in ${schedules} schedules`,
    { timeout: 900_000 },
    async () => {
      const startedAt = performance.now();
      expect(await findViolation(schedules, seed)).toBeUndefined();
      const seconds = (performance.now() - startedAt) / 1_000;
      process.stderr.write(
        `simulation: ${schedules} schedules, ${Math.round(schedules / seconds)} a second\n`,
      );
    },
  );

  it('come again step by step for the same seed', { timeout: 120_000 }, async () => {
    const traceOf = async (): Promise<string[]> => {
      const lines: string[] = [];
      const property = fc.asyncProperty(fc.scheduler(), fc.nat(), (scheduler, one) =>
        simulate({ scheduler, seed: one, log: (line) => void lines.push(line) }),
      );
      await fc.assert(property, { numRuns: 50, seed: 5 });
      return lines;
    };
    expect(await traceOf()).toEqual(await traceOf());
  });

  it('meet everything that the simulation is about', { timeout: 120_000 }, async () => {
    const lines = new Set<string>();
    const log = (line: string): void => void lines.add(line.replace(/\b[abc]\d\b/, 'EVENT'));
    const property = fc.asyncProperty(fc.scheduler(), fc.nat(), (scheduler, one) =>
      simulate({ scheduler, seed: one, log }),
    );
    await fc.assert(property, { numRuns: 200, seed: 1 });
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

describe('the simulation finds a copy of the source in which', () => {
  it.each(plantNames)('%s', { timeout: 120_000 }, (name) => {
    const copy = layOutVersion(plants[name]);
    onTestFinished(() => copy.remove());
    const said = execFileSync(
      process.execPath,
      [copy.file('packages/inbox/test/simulation/main.ts')],
      {
        encoding: 'utf8',
      },
    );
    expect(said.trim().split('\n').at(-1)).toMatch(
      /^SEED=\d+, path [\d:]+: Violation: (I\d|stuck)/,
    );
  });
});

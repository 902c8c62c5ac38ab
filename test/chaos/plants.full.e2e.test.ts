import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PlantName } from './plants.ts';
import { runChaos } from './run-chaos.ts';
import type { FaultKind, ScheduledFault } from './schedule.ts';

const timeoutMs = 900_000;
const catalogServices = ['catalog-service-1', 'catalog-service-2'] as const;

/** A schedule that provokes each planted bug, and what the checker must say of it. */
const provoking: readonly [PlantName, readonly ScheduledFault[], RegExp][] = [
  [
    'offset-before-database',
    numbered(
      ...catalogServices.map((name) => fault(3_000, 'link cut', `${name}->mysql`, 12_000)),
      ...catalogServices.map((name) => fault(9_000, 'kill', name)),
    ),
    /^I1$/,
  ],
  [
    'registry-error-as-invalid-event',
    numbered(
      fault(3_000, 'registry answers 500', 'registry', 25_000),
      ...catalogServices.map((name) => fault(6_000, 'kill', name)),
    ),
    /^I1$/,
  ],
  [
    'retry-after-offset',
    numbered(
      ...[5, 15, 25].flatMap((second) =>
        catalogServices.map((name) => fault(second * 1_000, 'kill', name)),
      ),
    ),
    /^I1$/,
  ],
];

test.for(provoking)(
  '"%s" is found',
  { timeout: timeoutMs },
  async ([plant, schedule, invariant]) => {
    const folder = mkdtempSync(join(tmpdir(), 'board-chaos-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const result = await runChaos({
      seed: 1,
      schedule,
      instance: undefined,
      plant,
      clients: 12,
      folder,
      say: (line) => process.stderr.write(`${plant}: ${line}\n`),
      signal: new AbortController().signal,
    });
    expect(result).toMatchObject({ verdict: 'violation' });
    expect(result.violations.map((violation) => violation.invariant)).toContainEqual(
      expect.stringMatching(invariant),
    );
  },
);

function fault(
  atMs: number,
  kind: FaultKind,
  target: string,
  forMs = 0,
): Omit<ScheduledFault, 'id'> {
  return { kind, target, atMs, forMs, how: null };
}

function numbered(...faults: readonly Omit<ScheduledFault, 'id'>[]): readonly ScheduledFault[] {
  return faults.map((one, index) => ({ id: index + 1, ...one }));
}

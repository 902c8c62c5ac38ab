import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import { runChaos } from './run-chaos.ts';
import { drawSchedule } from './schedule.ts';

const timeoutMs = 900_000;

test(
  'every answer that clients got holds after a minute of faults',
  { timeout: timeoutMs },
  async () => {
    const seed = Number(process.env['SEED'] ?? 1);
    const folder = mkdtempSync(join(tmpdir(), 'board-chaos-'));
    let isFailed = false;
    onTestFailed(() => {
      isFailed = true;
      say(`SEED=${seed}; logs, ledger and timeline in ${folder}`);
    });
    onTestFinished(() => {
      if (!isFailed) rmSync(folder, { recursive: true });
    });
    const result = await runChaos({
      seed,
      schedule: drawSchedule(seed, { durationMs: 60_000, hasProxies: true }),
      instance: undefined,
      plant: undefined,
      clients: 12,
      folder,
      say,
      signal: new AbortController().signal,
    });
    expect(result.violations).toEqual([]);
    expect(result).toMatchObject({ verdict: 'clean' });
    expect(result.operations.ok).toBeGreaterThan(300);
    // The faults and the refusals of the handler have left their traces.
    expect(result.events.refusedByHandler).toBeGreaterThan(0);
    expect(result.events.parked).toBeGreaterThan(0);
  },
);

function say(line: string): void {
  process.stderr.write(`chaos: ${line}\n`);
}

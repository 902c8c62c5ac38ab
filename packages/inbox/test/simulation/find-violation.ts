import fc from 'fast-check';
import { simulate } from './simulate.ts';

const command = 'node stack/launch.mjs exec -- node packages/inbox/test/simulation/main.ts';

/**
 * Runs so many schedules of the shipped consumer; says which invariant one of them breaks, and how
 * its steps are printed; undefined when none does.
 */
export async function findViolation(schedules: number, seed = 1): Promise<string | undefined> {
  const {
    failed,
    counterexamplePath: path,
    errorInstance,
  } = await run({ numRuns: schedules, seed });
  if (!failed) return undefined;
  return `SEED=${seed}, path ${path}: ${String(errorInstance)}; its steps: ${command} ${seed} ${path}`;
}

/** The steps of the one schedule that a violation has named, and the violation. */
export async function traceSchedule(seed: number, path: string): Promise<string> {
  const lines: string[] = [];
  const { failed, errorInstance } = await run(
    { numRuns: 1, seed, path },
    (line) => void lines.push(line),
  );
  return [...lines, failed ? String(errorInstance) : 'no violation'].join('\n');
}

function run(
  parameters: { readonly numRuns: number; readonly seed: number; readonly path?: string },
  log?: (line: string) => void,
) {
  const property = fc.asyncProperty(fc.scheduler(), fc.nat(0x7fff_ffff), (scheduler, seed) =>
    simulate({ scheduler, seed, ...(log && { log }) }),
  );
  return fc.check(property, { ...parameters, endOnFailure: true });
}

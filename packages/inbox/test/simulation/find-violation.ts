import fc from 'fast-check';
import { simulate } from './simulate.ts';

/**
 * Runs so many schedules of the shipped consumer; says which invariant one of them breaks, and by which seed it comes again;
 * undefined when none does.
 */
export async function findViolation(schedules: number, seed = 1): Promise<string | undefined> {
  const property = fc.asyncProperty(fc.scheduler(), fc.nat(0x7fff_ffff), (scheduler, one) =>
    simulate({ scheduler, seed: one }),
  );
  const result = await fc.check(property, { numRuns: schedules, seed, endOnFailure: true });
  if (!result.failed) return undefined;
  return `SEED=${seed}, path ${result.counterexamplePath}: ${String(result.errorInstance)}`;
}

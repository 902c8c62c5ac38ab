import { readFileSync } from 'node:fs';
import { z } from 'zod';

const tiers = {
  unit: /(?<![.](int|e2e))[.]test[.]ts$/,
  int: /[.]int[.]test[.]ts$/,
  e2e: /(?<![.]ci)[.]e2e[.]test[.]ts$/,
  ci: /[.]ci[.]e2e[.]test[.]ts$/,
} as const;

const schema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ status: z.string() })),
      status: z.string(),
    }),
  ),
});

/** Prints `N passed, N failed, N skipped` from vitest's JSON reports; exit 1 unless all passed and every tier ran. */
const testResults = process.argv
  .slice(2)
  .flatMap((file) => schema.parse(JSON.parse(readFileSync(file, 'utf8'))).testResults);
const statuses = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
const count = (...wanted: string[]): number => statuses.filter((status) => wanted.includes(status)).length;
const passed = count('passed');
// A file that fails before its first test has no test to count.
const failed =
  count('failed') +
  testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0).length;

const idle = Object.entries(tiers).filter(
  ([, pattern]) =>
    !testResults.some(
      ({ name, assertionResults }) => pattern.test(name) && assertionResults.some(({ status }) => status === 'passed'),
    ),
);
for (const [tier] of idle) console.log(`no test of the tier ${tier} has passed`);
console.log(`${passed} passed, ${failed} failed, ${statuses.length - passed - count('failed')} skipped`);
if (passed === 0 || failed > 0 || idle.length > 0) process.exitCode = 1;

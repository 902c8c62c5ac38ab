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
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()),
        }),
      ),
      status: z.string(),
    }),
  ),
});

/**
 * Prints from vitest's JSON reports each failure with the beginning of its message, then `N passed,
 * N failed, N skipped`; exit 1 unless all passed and every tier ran.
 */
const testResults = process.argv
  .slice(2)
  .flatMap((file) => schema.parse(JSON.parse(readFileSync(file, 'utf8'))).testResults);
const statuses = testResults.flatMap(({ assertionResults }) =>
  assertionResults.map(({ status }) => status),
);
const count = (...wanted: string[]): number =>
  statuses.filter((status) => wanted.includes(status)).length;
const passed = count('passed');
const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
  const failedTests = assertionResults
    .filter((test) => test.status === 'failed')
    .map(({ fullName, failureMessages }) => ({
      test: `${name}: ${fullName}`,
      message: failureMessages.join('\n'),
    }));
  // What fails before the first test or after the last, a hook too, is no test's failure.
  return status === 'failed' && failedTests.length === 0 ? [{ test: name, message }] : failedTests;
});
const failed = failures.length;
for (const { test, message } of failures)
  console.log(`FAILED ${test}\n${message.slice(0, 3_000)}\n`);

const idle = Object.entries(tiers).filter(
  ([, pattern]) =>
    !testResults.some(
      ({ name, assertionResults }) =>
        pattern.test(name) && assertionResults.some(({ status }) => status === 'passed'),
    ),
);
for (const [tier] of idle) console.log(`no test of the tier ${tier} has passed`);
console.log(
  `${passed} passed, ${failed} failed, ${statuses.length - passed - count('failed')} skipped`,
);
if (passed === 0 || failed > 0 || idle.length > 0) process.exitCode = 1;

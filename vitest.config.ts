import { defineConfig } from 'vitest/config';

const notOurs = ['**/node_modules/**', '**/.stack/**'];

/**
 * `ci`: only the end-to-end tests too long for `npm test`. `full`: everything, the long proofs at
 * full count.
 */
const tier = process.env['TIER'];
const endToEnd = {
  include: tier === 'ci' ? ['**/*.ci.e2e.test.ts'] : ['**/*.e2e.test.ts'],
  exclude: tier === undefined ? ['**/*.ci.e2e.test.ts', '**/*.full.e2e.test.ts'] : [],
};

/**
 * Tiers by suffix: pure tests, tests of one part on real servers, tests of the whole pipeline; one
 * after the other. `isolate: false`: the files of a worker share its modules, because loading the
 * clients anew for each file took a third of the time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          include: ['**/*.test.ts'],
          exclude: [...notOurs, '**/*.int.test.ts', '**/*.e2e.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'int',
          include: ['**/*.int.test.ts'],
          exclude: notOurs,
          globalSetup: 'test/setup/test-stack.ts',
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: endToEnd.include,
          exclude: [...notOurs, ...endToEnd.exclude],
          globalSetup: 'test/setup/test-stack.ts',
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
